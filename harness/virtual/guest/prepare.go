package guest

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/linux"
	"github.com/halfopen-lab/halfopen/harness/sysctl"
)

// mounts are the file systems that programs expect, in the order of mounting.
var mounts = []struct{ kind, at, options string }{
	{"proc", "/proc", ""},
	{"sysfs", "/sys", ""},
	{"devtmpfs", "/dev", ""},
	{"tmpfs", "/dev/shm", ""},
	{"tmpfs", "/tmp", "mode=1777"},
	{"tmpfs", "/run", ""},
}

// quiet stops the periodic work of the kernel (Documentation/admin-guide/sysctl/vm.rst,
// Documentation/networking/ip-sysctl.rst), because whatever wakes an idle guest makes its
// hours expensive. The interval of the neighbour tables is for entries that a program asked
// the kernel to keep alive (NTF_EXT_MANAGED): a guest has none. A kernel that lacks a
// setting lacks the work too.
var quiet = []sysctl.Setting{
	// Process 1 loads the modules that are needed, unless they are built in. The kernel
	// must not start a program that looks for others.
	{Name: "kernel/modprobe", Value: "", Optional: true},
	{Name: "kernel/hung_task_timeout_secs", Value: "0", Optional: true},
	{Name: "vm/compaction_proactiveness", Value: "0", Optional: true},
	{Name: "vm/dirty_writeback_centisecs", Value: "0", Optional: true},
	{Name: "vm/stat_interval", Value: "86400", Optional: true},
	{Name: "net/ipv4/neigh/default/interval_probe_time_ms", Value: "86400000", Since: linux.Version{Major: 5, Minor: 19}},
	{Name: "net/ipv6/neigh/default/interval_probe_time_ms", Value: "86400000", Since: linux.Version{Major: 5, Minor: 19}},
}

// Hostname is a guest's name for itself.
const Hostname = "guest"

// prepare sets up the machine.
func prepare(plan *Plan) error {
	for _, m := range mounts {
		if err := os.MkdirAll(m.at, 0o755); err != nil {
			return err
		}
		// The mount would hide files that the guest has there, such as those of a Go
		// module in /tmp. They are in memory already.
		if entries, err := os.ReadDir(m.at); m.kind == "tmpfs" && err == nil && len(entries) > 0 {
			continue
		}
		if err := unix.Mount(m.kind, m.at, m.kind, 0, m.options); err != nil {
			return fmt.Errorf("mounting %s: %w", m.at, err)
		}
	}
	for _, s := range quiet {
		if _, err := s.Apply(); err != nil {
			return err
		}
	}
	if err := credit(plan.Seed); err != nil {
		return err
	}
	if err := load(plan.Modules); err != nil {
		return err
	}
	if err := unix.Sethostname([]byte(Hostname)); err != nil {
		return err
	}
	if err := loopback(); err != nil {
		return err
	}
	if err := os.MkdirAll(plan.Report, 0o755); err != nil {
		return err
	}
	for number, root := range plan.Roots {
		if err := root.mount(number); err != nil {
			return err
		}
	}
	return nil
}

// credit seeds the kernel's random number generator, and credits it with full entropy
// (random(4), RNDADDENTROPY). Everything random comes from it: initial sequence numbers,
// ephemeral ports, the order of Go's maps.
func credit(seed uint64) error {
	const size = sha256.Size
	request := struct {
		bits, size int32 // struct rand_pool_info, linux/random.h
		entropy    [size]byte
	}{8 * size, size, sha256.Sum256(binary.BigEndian.AppendUint64(nil, seed))}
	random, err := os.OpenFile("/dev/urandom", os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() { _ = random.Close() }()
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, random.Fd(), unix.RNDADDENTROPY, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return fmt.Errorf("giving the seed to /dev/urandom: %w", errno)
	}
	return nil
}

// load loads kernel modules in their order.
func load(modules []Module) error {
	for _, m := range modules {
		file, err := os.Open(m.File)
		if err != nil {
			return err
		}
		err = unix.FinitModule(int(file.Fd()), m.Parameters, 0)
		_ = file.Close()
		// EEXIST: the module is loaded, or built in.
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("loading the kernel module %s: %w", m.File, err)
		}
	}
	return nil
}

// loopback brings the loopback interface up.
func loopback() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(socket) }()
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request); err != nil {
		return fmt.Errorf("bringing lo up: %w", err)
	}
	return nil
}
