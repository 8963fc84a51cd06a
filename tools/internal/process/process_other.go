//go:build !linux

package process

// Worker finds nobody.
func Worker(int, int, []Runner, func(int) bool) (pid int, runner string) { return 0, "" }

// Watch gives a function that waits until a process has ended.
//
// Errors: there is no such process.
func Watch(pid int) (wait func(), err error) { return poll(pid) }
