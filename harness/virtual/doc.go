// Package virtual runs a program in a QEMU guest whose clock is virtual: when every
// process of the guest waits, the clock moves on to the next timer at once. The kernel
// and its TCP are Debian's own, unmodified; a wait of two hours takes a second.
//
// The guest's processor is emulated and counts instructions, one nanosecond each
// (qemu(1), -icount shift=0,sleep=off), so no root and no KVM are needed, and a seed
// fixes every bit of a run. For that nothing may reach the guest from outside while it
// runs: everything is in its initramfs, its report comes out when the command has
// ended, and its console is only written to.
//
// Process 1 of the guest is package harness/virtual/guest.
package virtual
