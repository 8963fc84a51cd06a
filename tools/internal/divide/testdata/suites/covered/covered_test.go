package covered

import "testing"

func TestOne(t *testing.T) { Word(1) }

func TestTwo(t *testing.T) { Word(2) }

func TestThree(t *testing.T) { Word(3) }

func TestMany(t *testing.T) { Word(9) }
