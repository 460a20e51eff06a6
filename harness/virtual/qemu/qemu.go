// Package qemu is a machine whose processor is emulated and counts instructions, one
// nanosecond each (qemu(1), -icount shift=0,sleep=off). It runs Debian's own kernel
// binary, unmodified, without root and without KVM. It is slow, and the witness: what a
// user-mode kernel (harness/virtual/um) shows must be true here too.
//
// Determinism was measured with QEMU 7.2.
package qemu

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
)

// program is the emulator.
const program = "qemu-system-x86_64"

// Machine is QEMU with one of Debian's kernels.
type Machine struct{ kernel Kernel }

// New returns a machine with a kernel, and fails where QEMU is not installed.
func New(k Kernel) (*Machine, error) {
	_, err := lookUp()
	return &Machine{kernel: k}, err
}

// Kernel returns the name of Debian's kernel: "Linux 6.1.0-56-cloud-amd64".
func (m *Machine) Kernel() string { return "Linux " + m.kernel.Release() }

// ReachesMachine returns false: an emulated machine has only what is in its memory.
func (m *Machine) ReachesMachine() bool { return false }

// port is the virtual serial port that takes the report. The bus keeps number 0 for a
// console, so the first port that is added is number 1.
const port = "/dev/vport0p1"

// Equip adds the kernel's modules. The drivers of the report's port come last: a port that
// nobody writes to still takes time when its driver starts.
func (m *Machine) Equip(files *virtual.Files, plan *guest.Plan) error {
	plan.Port = port
	if plan.Root.NeedsMachine() {
		return errors.New("a guest of QEMU cannot reach this machine's files: choose the user-mode kernel (--machine um)")
	}
	for _, set := range []struct {
		names []string
		to    *[]guest.Module
	}{{needed, &plan.Modules}, {neededLate, &plan.LateModules}} {
		modules, err := m.kernel.load(set.names)
		if err != nil {
			return err
		}
		for _, module := range modules {
			at := path.Join("/modules", module.name+".ko")
			files.Write(at, module.content, 0o644)
			*set.to = append(*set.to, guest.Module{File: at, Parameters: parametersOf[module.name]})
		}
	}
	return nil
}

// Command returns QEMU's process.
func (m *Machine) Command(memory int) (*exec.Cmd, error) {
	path, err := lookUp()
	if err != nil {
		return nil, err
	}
	return exec.Command(path, arguments(m.kernel.Image, memory)...), nil
}

// computer is the emulated computer: one processor that counts instructions, and no
// disk, screen or network card.
var computer = []string{
	"-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-nic", "none",
	// A processor without rdrand and rdseed: every random number comes from the seed.
	"-machine", "pc", "-accel", "tcg", "-cpu", "qemu64",
	// Nobody reads the record (docs/devel/replay.rst in QEMU's source). What counts is
	// that, while it is kept, the processor's thread holds a lock as it runs, and the
	// first thread needs that lock to move the clock on. Without it the first thread
	// may do so after the processor has halted and before its last instructions are
	// counted: the clock goes too far by these, once in some hours of a busy guest
	// (icount_start_warp_timer in softmmu/icount.c). It costs 5 % of processor time.
	"-icount", "shift=0,sleep=off,align=off,rr=record,rrfile=/dev/null",
	"-rtc", "clock=vm,base=2026-01-01T00:00:00",
}

// Emulator tries the emulator: it starts the machine of the guests with nothing in it, and
// ends it. It returns what the emulator calls itself: "QEMU 7.2.22".
func Emulator(ctx context.Context) (version string, err error) {
	path, err := lookUp()
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, path, append(computer[:len(computer):len(computer)], "-S", "-monitor", "stdio")...)
	cmd.Stdin = strings.NewReader("quit\n")
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("starting %s without a guest: %w: %s", program, err, strings.TrimSpace(complaint.String()))
	}
	version, _, _ = strings.Cut(string(out), " monitor ")
	return version, nil
}

// Installed returns nil where QEMU is installed, and otherwise what to do.
func Installed() error {
	_, err := lookUp()
	return err
}

func lookUp() (string, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return "", fmt.Errorf("%s is not installed: install the package qemu-system-x86", program)
	}
	return path, nil
}

// parameters are the kernel's command line (kernel-parameters.rst).
var parameters = []string{
	"console=ttyS0", "quiet", "panic=-1",
	"random.trust_cpu=off", "random.trust_bootloader=off",
	// Whatever wakes an idle guest makes its hours dear: the local APIC timer waits
	// 0.13 s at most, the HPET 21 s.
	"nolapic_timer", "nowatchdog", "tsc=reliable", "no_timer_check", "psi=0", "cgroup_disable=memory",
	"transparent_hugepage=never", "kfence.sample_interval=0",
	"cryptomgr.notests", // a second of processor time, for ciphers that nobody uses
	"mitigations=off", "apparmor=0", "noautogroup",
}

// arguments are QEMU's.
func arguments(kernel string, memory int) []string {
	return append(computer[:len(computer):len(computer)],
		"-m", fmt.Sprint(memory),
		"-kernel", kernel, "-initrd", fmt.Sprintf("/dev/fd/%d", virtual.InitramfsFD), "-append", strings.Join(parameters, " "),
		// A console made by -serial would be recorded, and with sleep=off what is to be
		// recorded never arrives: a guest could not be interrupted (icount_account_warp_timer).
		"-chardev", "stdio,id=console,signal=off", "-device", "isa-serial,chardev=console",
		"-device", "virtio-serial-pci", "-chardev", fmt.Sprintf("file,id=report,path=/dev/fd/%d", virtual.ReportFD),
		"-device", "virtserialport,chardev=report",
	)
}
