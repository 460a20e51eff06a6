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

// Main does what process 1 has to do, and then switches the machine off.
func Main() {
	debug.SetGCPercent(-1) // or process 1 would collect garbage every two minutes, for hours
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
	// The kernel's last messages are not part of the run. The first number is the level of
	// the console, and the others are the defaults (proc_sys_kernel(5), printk).
	_ = sysctl.Write("kernel/printk", "0 4 1 7")
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	// When process 1 ends the kernel panics, which ends the machine too.
	fmt.Fprintln(os.Stderr, "guest: the machine cannot be switched off")
}

// uptime returns the virtual time since power-on, in seconds.
func uptime() float64 {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		return 0
	}
	return float64(now.Nano()) / 1e9
}
