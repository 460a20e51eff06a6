// Package qemu is the machine whose processor is emulated. Its clock counts instructions,
// one nanosecond each (qemu(1), -icount shift=0,sleep=off). It runs Debian's kernel binary
// as it is, without root and without KVM. It is slow, and serves as the witness: whatever a
// user-mode kernel (package um) shows must be true here too.
//
// That it is deterministic was measured with QEMU 7.2.
package qemu

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path"
	"slices"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
)

// program is the emulator.
const program = "qemu-system-x86_64"

// Machine is QEMU with one of Debian's kernels.
type Machine struct{ kernel Kernel }

// New returns a machine with a kernel. The error says that QEMU is not installed.
func New(k Kernel) (*Machine, error) {
	_, err := lookUp()
	return &Machine{kernel: k}, err
}

// Kernel returns the name of Debian's kernel: "Linux 6.1.0-56-cloud-amd64".
func (m *Machine) Kernel() string { return "Linux " + m.kernel.Release() }

// ReachesMachine returns false: an emulated machine has only what is in its memory.
func (m *Machine) ReachesMachine() bool { return false }

// port is the virtual serial port to which the report is written. The bus reserves number 0
// for a console, so that the first port is number 1.
const port = "/dev/vport0p1"

// Equip adds the kernel's modules. Those of the report's port are loaded late, because a
// port takes time from when its driver starts.
func (m *Machine) Equip(files *virtual.Files, plan *guest.Plan) error {
	plan.Port = port
	if slices.ContainsFunc(plan.Roots, (*guest.Root).NeedsMachine) {
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

// Command returns the command that is QEMU's process.
func (m *Machine) Command(memory int) (*exec.Cmd, error) {
	path, err := lookUp()
	if err != nil {
		return nil, err
	}
	return exec.Command(path, arguments(m.kernel.Image, memory)...), nil
}

// computer is the emulated computer: a processor that counts instructions, and no disk,
// screen or network card.
var computer = []string{
	"-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-nic", "none",
	// The processor has no rdrand and no rdseed: every random number comes from the seed.
	"-machine", "pc", "-accel", "tcg", "-cpu", "qemu64",
	// Nobody reads the record (docs/devel/replay.rst in QEMU's source). But while QEMU
	// records, the processor's thread holds a lock as it runs, which the first thread
	// needs to advance the clock. Without a record, the first thread may advance the
	// clock when the processor has halted and its last instructions are not counted yet.
	// The clock is then ahead by these, once in some hours of a busy guest
	// (icount_start_warp_timer in softmmu/icount.c). Recording costs 5 % of processor time.
	"-icount", "shift=0,sleep=off,align=off,rr=record,rrfile=/dev/null",
	"-rtc", "clock=vm,base=2026-01-01T00:00:00",
}

// Emulator tries the emulator: it starts the computer without a guest, and ends it. It
// returns the emulator's name and version: "QEMU 7.2.22".
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

// Installed returns an error with the remedy if QEMU is not installed.
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

// parameters is the kernel's command line (kernel-parameters.rst).
var parameters = []string{
	"console=ttyS0", "quiet", "panic=-1",
	"random.trust_cpu=off", "random.trust_bootloader=off",
	// Whatever wakes an idle guest makes its hours expensive. The local APIC timer waits
	// for 0.13 s at most, the HPET for 21 s.
	"nolapic_timer", "nowatchdog", "tsc=reliable", "no_timer_check", "psi=0", "cgroup_disable=memory",
	"transparent_hugepage=never", "kfence.sample_interval=0",
	"cryptomgr.notests", // they take a second of processor time, for ciphers that nobody uses
	"mitigations=off", "apparmor=0", "noautogroup",
}

// arguments returns the arguments of QEMU.
func arguments(kernel string, memory int) []string {
	return append(computer[:len(computer):len(computer)],
		"-m", fmt.Sprint(memory),
		"-kernel", kernel, "-initrd", fmt.Sprintf("/dev/fd/%d", virtual.InitramfsFD), "-append", strings.Join(parameters, " "),
		// QEMU would record the input of a console that is made by -serial. With sleep=off
		// recorded input never arrives, and a guest could not be interrupted
		// (icount_account_warp_timer).
		"-chardev", "stdio,id=console,signal=off", "-device", "isa-serial,chardev=console",
		"-device", "virtio-serial-pci", "-chardev", fmt.Sprintf("file,id=report,path=/dev/fd/%d", virtual.ReportFD),
		"-device", "virtserialport,chardev=report",
	)
}
