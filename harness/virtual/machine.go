package virtual

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/linux"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
)

// The descriptors of a machine's process, beside its console on 0, 1 and 2.
const (
	ReportFD    = 3 // takes what the guest hands out
	InitramfsFD = 4 // holds the guest's root file system
)

// Machine is a computer whose clock jumps to the next timer when its guest is idle: the
// user-mode kernel of harness/virtual/um, or the emulated processor of
// harness/virtual/qemu.
type Machine interface {
	// Kernel returns what the guest's kernel calls itself: "Linux 6.12.117".
	Kernel() string
	// ReachesMachine reports whether a guest can be given files of the machine on which it
	// runs (guest.Root.NeedsMachine).
	ReachesMachine() bool
	// Equip adds to a guest's files and to the plan of process 1 what only this machine
	// needs there. It changes nothing else.
	Equip(files *Files, plan *guest.Plan) error
	// Command returns the process that is the machine, for a guest with so much memory
	// in MiB. It is not started yet; Guest.Run gives it the console, ReportFD and
	// InitramfsFD.
	Command(memory int) (*exec.Cmd, error)
}

// cores counts the guests that run on each core, for this process.
var cores struct {
	sync.Mutex
	guests map[int]int
}

// takeCore returns the core with the fewest guests of this process, of those that it may
// use. release gives it back. Cores of equal use are taken in turns from one that depends
// on the process, so that the guests of two processes rarely share a core.
func takeCore() (core int, release func(), err error) {
	usable, err := Cores()
	if err != nil {
		return 0, nil, err
	}
	cores.Lock()
	defer cores.Unlock()
	if cores.guests == nil {
		cores.guests = map[int]int{}
	}
	core = usable[os.Getpid()%len(usable)]
	for _, other := range usable {
		if cores.guests[other] < cores.guests[core] {
			core = other
		}
	}
	cores.guests[core]++
	return core, func() {
		cores.Lock()
		defer cores.Unlock()
		cores.guests[core]--
	}, nil
}

// startOn starts a command on one core. The threads and processes of a machine take turns
// there: a hand-over between them needs no other core to wake up, and none of them
// overtakes another. The calling goroutine's thread must not be used for anything else,
// and must live as long as the command, which ends with it (prctl(2), PR_SET_PDEATHSIG).
func startOn(core int, cmd *exec.Cmd) error {
	runtime.LockOSThread() // for good: the thread stays on that core, and ends
	var one unix.CPUSet
	one.Set(core)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return fmt.Errorf("pinning a thread to a core: %w", err)
	}
	// Whatever a guest does to its kernel, it changes nothing here but its report. Without
	// Landlock the machine's other walls must do (docs/security.md).
	if err := linux.ConfineThread(cmd.ExtraFiles...); err != nil && !errors.Is(err, linux.ErrNoLandlock) {
		return fmt.Errorf("confining the guest: %w", err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig: unix.SIGKILL,
		Setpgid:   true, // a terminal's Ctrl-C is for us: we ask the guest to end
	}
	return cmd.Start()
}
