// Package red_test fails: 50 tests, each after a while.
package red_test

import (
	"testing"
	"time"
)

func fail(t *testing.T) {
	t.Helper()
	time.Sleep(time.Second)
	t.Errorf("%s does what it should", t.Name())
}

func Test01(t *testing.T) { fail(t) }
func Test02(t *testing.T) { fail(t) }
func Test03(t *testing.T) { fail(t) }
func Test04(t *testing.T) { fail(t) }
func Test05(t *testing.T) { fail(t) }
func Test06(t *testing.T) { fail(t) }
func Test07(t *testing.T) { fail(t) }
func Test08(t *testing.T) { fail(t) }
func Test09(t *testing.T) { fail(t) }
func Test10(t *testing.T) { fail(t) }
func Test11(t *testing.T) { fail(t) }
func Test12(t *testing.T) { fail(t) }
func Test13(t *testing.T) { fail(t) }
func Test14(t *testing.T) { fail(t) }
func Test15(t *testing.T) { fail(t) }
func Test16(t *testing.T) { fail(t) }
func Test17(t *testing.T) { fail(t) }
func Test18(t *testing.T) { fail(t) }
func Test19(t *testing.T) { fail(t) }
func Test20(t *testing.T) { fail(t) }
func Test21(t *testing.T) { fail(t) }
func Test22(t *testing.T) { fail(t) }
func Test23(t *testing.T) { fail(t) }
func Test24(t *testing.T) { fail(t) }
func Test25(t *testing.T) { fail(t) }
func Test26(t *testing.T) { fail(t) }
func Test27(t *testing.T) { fail(t) }
func Test28(t *testing.T) { fail(t) }
func Test29(t *testing.T) { fail(t) }
func Test30(t *testing.T) { fail(t) }
func Test31(t *testing.T) { fail(t) }
func Test32(t *testing.T) { fail(t) }
func Test33(t *testing.T) { fail(t) }
func Test34(t *testing.T) { fail(t) }
func Test35(t *testing.T) { fail(t) }
func Test36(t *testing.T) { fail(t) }
func Test37(t *testing.T) { fail(t) }
func Test38(t *testing.T) { fail(t) }
func Test39(t *testing.T) { fail(t) }
func Test40(t *testing.T) { fail(t) }
func Test41(t *testing.T) { fail(t) }
func Test42(t *testing.T) { fail(t) }
func Test43(t *testing.T) { fail(t) }
func Test44(t *testing.T) { fail(t) }
func Test45(t *testing.T) { fail(t) }
func Test46(t *testing.T) { fail(t) }
func Test47(t *testing.T) { fail(t) }
func Test48(t *testing.T) { fail(t) }
func Test49(t *testing.T) { fail(t) }
func Test50(t *testing.T) { fail(t) }
