// Package um is the machine that is an ordinary process: Debian's kernel source, built for
// the architecture um (User-Mode Linux) with time travel. The programs of its guests run at
// the speed of this machine's processor, without root, KVM or an emulator.
//
// Package kernel builds the kernel and finds it. It also says what the kernel does
// differently from Debian's binary.
package um

import (
	"fmt"
	"os/exec"

	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
)

// Machine is a user-mode kernel.
type Machine struct {
	file    string
	release string
}

// New returns the machine of the kernel in a file, with the release that the kernel has
// (uname -r).
func New(file, release string) *Machine { return &Machine{file: file, release: release} }

// Kernel returns the kernel's name: "Linux 6.12.117".
func (m *Machine) Kernel() string { return "Linux " + m.release }

// ReachesMachine returns true: hostfs is the machine's file system, as the caller sees it
// (Documentation/virt/uml/user_mode_linux_howto_v2.rst).
func (m *Machine) ReachesMachine() bool { return true }

// port is the serial line to which the report is written.
const port = "/dev/ttyS0"

// Equip sets the port. It adds no modules: all drivers are built in.
func (m *Machine) Equip(_ *virtual.Files, plan *guest.Plan) error {
	plan.Port = port
	return nil
}

// Command returns the command that is the kernel's process.
//
// The kernel mixes its command line into its random pool, so the command line must be the
// same in every run.
func (m *Machine) Command(memory int) (*exec.Cmd, error) {
	cmd := exec.Command(m.file,
		fmt.Sprintf("mem=%dM", memory), fmt.Sprintf("initrd=/proc/self/fd/%d", virtual.InitramfsFD),
		// The console is descriptors 0 and 1. Nothing is read from the report's line.
		"con0=fd:0,fd:1", "con=null", fmt.Sprintf("ssl0=null,fd:%d", virtual.ReportFD), "ssl=null",
		"console=tty0", "quiet", "panic=-1",
		// When everything waits, the clock jumps to the next timer. It starts in 2026.
		"time-travel=inf-cpu", "time-travel-start=1767225600000000000",
		"random.trust_cpu=off", "random.trust_bootloader=off",
		// Connection tracking regularly walks its whole table: that was half of the
		// kernel's processor time in a run. A lab has few flows.
		"nf_conntrack.hashsize=1024",
		"noautogroup",
	)
	cmd.Env = []string{} // it does not inherit this process's environment
	return cmd, nil
}
