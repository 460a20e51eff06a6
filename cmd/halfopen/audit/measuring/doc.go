// Package measuring carries an audit's plan out, inside the guest: a lab for each fault,
// with the program under test on one side, all labs at once, since their waits overlap
// in virtual time.
//
// The program is watched from outside and waits for nobody: the kernel's trace events
// say when its socket changes its state and when one of its calls returns an error, a
// capture has the packets, and sock_diag says when it has closed its descriptor. Nothing
// polls: whatever wakes a guest makes its hours dear.
package measuring
