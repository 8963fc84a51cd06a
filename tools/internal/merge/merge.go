// Package merge adds up what several processes of one Go test binary print and cover, so that it reads as the output
// and the coverage of one.
//
// Goals: each line of each process once, in order, as soon as it may be shown; one verdict; a coverage that counts what
// any process has covered. Non-goals: running processes, and dividing tests among them, which are package divide's.
package merge
