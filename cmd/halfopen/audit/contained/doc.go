// Package contained runs a program under test in a box of its own: process and mount
// namespaces, a root file system of its own over the guest's, and a terminal to write
// to. Many copies of a program then run at once without meeting each other's pid files,
// locks, logs and sockets, and none outlives its box.
//
// The box is a fixture (harness/peer): process 1 of its namespace, which starts the
// program, reaps what it leaves, and reports how it ends.
package contained
