package virtual

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
)

// program is the emulator.
const program = "qemu-system-x86_64"

// machine is the emulated computer: one processor that counts instructions, and no
// disk, screen or network card.
var machine = []string{
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
	cmd := exec.CommandContext(ctx, path, append(machine[:len(machine):len(machine)], "-S", "-monitor", "stdio")...)
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

func lookUp() (string, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return "", fmt.Errorf("%s is not installed: run 'scripts/setup virtual', or install the package qemu-system-x86", program)
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

// arguments are QEMU's. Descriptor 3 takes the report, and 4 is the initramfs.
func arguments(kernel string, memory int) []string {
	return append(machine,
		"-m", fmt.Sprint(memory),
		"-kernel", kernel, "-initrd", "/dev/fd/4", "-append", strings.Join(parameters, " "),
		// A console made by -serial would be recorded, and with sleep=off what is to be
		// recorded never arrives: a guest could not be interrupted (icount_account_warp_timer).
		"-chardev", "stdio,id=console,signal=off", "-device", "isa-serial,chardev=console",
		"-device", "virtio-serial-pci", "-chardev", "file,id=report,path=/dev/fd/3",
		"-device", "virtserialport,chardev=report,name="+guest.Channel,
	)
}

// pinned is how many guests this process has started.
var pinned atomic.Int32

// startPinned starts a command on one core: QEMU's own threads take turns there, and
// none overtakes another. The calling goroutine's thread must not be used for
// anything else, and must live as long as the command, which ends with it.
func startPinned(cmd *exec.Cmd) error {
	runtime.LockOSThread() // for good: the thread stays on that core, and ends
	var allowed unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		return fmt.Errorf("asking for the cores that may be used: %w", err)
	}
	cores := []int{}
	for core := range len(allowed) * 64 {
		if allowed.IsSet(core) {
			cores = append(cores, core)
		}
	}
	var one unix.CPUSet
	// Two guests of this process share no core while there are enough, and those of
	// two processes rarely do.
	one.Set(cores[(os.Getpid()+int(pinned.Add(1)))%len(cores)])
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return fmt.Errorf("pinning a thread to a core: %w", err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig: unix.SIGKILL,
		Setpgid:   true, // a terminal's Ctrl-C is for us: we ask the guest to end
	}
	return cmd.Start()
}
