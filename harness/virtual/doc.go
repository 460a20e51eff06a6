// Package virtual runs a program in a guest whose clock is virtual: when every process of
// the guest waits, the clock moves on to the next timer at once. The kernel and its TCP
// are Debian's own; a wait of two hours takes no time that one could feel.
//
// A Machine is the computer that does so: harness/virtual/um, a kernel that is an
// ordinary process, or harness/virtual/qemu, an emulated processor. Neither needs root
// or KVM, and a seed fixes every bit of a run. For that nothing may reach the guest from
// outside while it runs: everything is in its initramfs, its report comes out when the
// command has ended, and its console is only written to.
//
// Process 1 of the guest is package harness/virtual/guest.
package virtual
