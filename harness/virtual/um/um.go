// Package um is a machine that is an ordinary process: Debian's kernel source, built for
// the architecture um (User-Mode Linux) with time travel. Its guests' programs run at the
// speed of this machine's own processor, without root, KVM or an emulator.
//
// Building and finding that kernel is harness/virtual/kernel's; what it does differently
// from Debian's own binary is said there too.
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

// New returns a machine of the kernel in a file, which calls itself by that release.
func New(file, release string) *Machine { return &Machine{file: file, release: release} }

// Kernel returns the kernel's name: "Linux 6.12.117".
func (m *Machine) Kernel() string { return "Linux " + m.release }

// ReachesMachine returns true: hostfs is the machine's file system, as the caller sees it
// (Documentation/virt/uml/user_mode_linux_howto_v2.rst).
func (m *Machine) ReachesMachine() bool { return true }

// port is the serial line that takes the report.
const port = "/dev/ttyS0"

// Equip names the port: all drivers are built in.
func (m *Machine) Equip(_ *virtual.Files, plan *guest.Plan) error {
	plan.Port = port
	return nil
}

// Command returns the kernel's process.
//
// The kernel mixes its command line into its random pool: nothing that differs from run
// to run may stand there.
func (m *Machine) Command(memory int) (*exec.Cmd, error) {
	cmd := exec.Command(m.file,
		fmt.Sprintf("mem=%dM", memory), fmt.Sprintf("initrd=/proc/self/fd/%d", virtual.InitramfsFD),
		// The console is descriptors 0 and 1; the report's line has nothing to read.
		"con0=fd:0,fd:1", "con=null", fmt.Sprintf("ssl0=null,fd:%d", virtual.ReportFD), "ssl=null",
		"console=tty0", "quiet", "panic=-1",
		// The clock jumps to the next timer when everything waits, and starts in 2026.
		"time-travel=inf-cpu", "time-travel-start=1767225600000000000",
		"random.trust_cpu=off", "random.trust_bootloader=off",
		// Connection tracking walks its whole table from time to time: of a run's
		// processor time in the kernel, half was that. A lab has few flows.
		"nf_conntrack.hashsize=1024",
		"noautogroup",
	)
	cmd.Env = []string{} // nothing of this process's
	return cmd, nil
}
