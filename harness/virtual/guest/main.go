package guest

import (
	"fmt"
	"os"
	"runtime/debug"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/reexec"

	"github.com/halfopen-lab/halfopen/harness/sysctl"
)

// Program is process 1 inside a binary that has other work to do outside of a guest.
const Program reexec.Name = "guest"

func init() { reexec.Register(Program, func([]string) error { Main(); return nil }) }

// Main is what process 1 does. It ends by switching the machine off.
func Main() {
	debug.SetGCPercent(-1) // it would collect garbage every two minutes, for hours
	var outcome Outcome
	plan, err := readPlan()
	if err == nil {
		err = prepare(plan)
	}
	if err == nil {
		outcome.Booted = uptime()
		outcome.Commands, err = run(plan)
		outcome.Seconds = uptime()
	}
	if err != nil {
		outcome.Trouble = err.Error()
	}
	if plan != nil {
		err = handOut(plan, outcome)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "guest: %v\n", err)
	}
	// What the kernel says as it goes is no part of the run.
	_ = sysctl.Write("kernel/printk", "0 4 1 7") // the others are the defaults
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	// Process 1 must not end: the kernel would panic, which QEMU takes for the end too.
	fmt.Fprintln(os.Stderr, "guest: the machine cannot be switched off")
}

// uptime is the virtual time since power-on, in seconds.
func uptime() float64 {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		return 0
	}
	return float64(now.Nano()) / 1e9
}
