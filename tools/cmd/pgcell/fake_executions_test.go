package main

import (
	"encoding/binary"
	"strings"
)

// encodeExecutions makes a log of executions of lines: "spawn LABEL MNEMONIC OUTPUT" begins an execution; the lines behind it
// add to that one, with NAME=VALUE for all but arguments:
//
//	arg TEXT
//	env NAME=VALUE
//	property NAME=VALUE
//	input PATH=DIGEST
//	output PATH=DIGEST
//	hit                 it came from a cache
//	failed
func encodeExecutions(text string) (log []byte) {
	var spawn []byte
	end := func() {
		if spawn != nil {
			log = append(binary.AppendUvarint(log, uint64(len(spawn))), spawn...)
		}
	}
	for line := range strings.Lines(text) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, value, _ := strings.Cut(rest, "=")
		switch word {
		case "spawn":
			end()
			words := strings.Fields(rest)
			spawn = wireText(wireText(wireText(nil, 18, words[0]), 10, words[1]), 5, words[2])
		case "arg":
			spawn = wireText(spawn, 1, rest)
		case "env":
			spawn = wireText(spawn, 2, string(wireText(wireText(nil, 1, name), 2, value)))
		case "property":
			spawn = wireText(spawn, 3, string(wireText(nil, 1, string(wireText(wireText(nil, 1, name), 2, value)))))
		case "input", "output":
			file := wireText(wireText(nil, 1, name), 2, string(wireText(nil, 1, value)))
			spawn = wireText(spawn, map[string]int{"input": 4, "output": 11}[word], string(file))
		case "hit":
			spawn = append(spawn, 13<<3, 1)
		case "failed":
			spawn = append(spawn, 15<<3, 1)
		}
	}
	end()
	return log
}

// wireText adds a field of a string, or of a message, to a message of protocol buffers.
func wireText(message []byte, field int, text string) []byte {
	message = binary.AppendUvarint(message, uint64(field)<<3|2)
	return append(binary.AppendUvarint(message, uint64(len(text))), text...)
}
