// Package process finds the worker of a test runner that a process belongs to, and waits for processes to end.
package process
