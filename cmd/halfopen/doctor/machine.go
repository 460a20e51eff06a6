package doctor

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/trace"
)

// What is tried of the machine around labs and guests.
const (
	temporary = "temporary files"
	cache     = "cache"
	tracing   = "tracefs"
	tracer    = "ptrace"
)

// Room that files need, in bytes.
const (
	temporaryRoom = 512 << 20 // the programs of tests, and a guest's initramfs and report
	cacheRoom     = 1 << 30   // a build of the kernel
)

// machine returns the findings about places for files, and about the rights that an audit on the
// running kernel takes.
func machine() []Finding {
	return []Finding{findTemporary(), findCache(), tryTracing(), tryTracer()}
}

func findTemporary() Finding {
	if err := environment.CheckTemporary(); err != nil {
		return judge(temporary, err, "", "nothing can be measured or tested")
	}
	return judgeRoom(temporary, os.TempDir(), temporaryRoom, "make room there, or set TMPDIR to another directory")
}

func findCache() Finding {
	directory, err := environment.Cache()
	if err == nil {
		err = environment.CheckCache()
	}
	if err != nil {
		return judge(cache, err, "", "kernels, packages and images cannot be kept, so there is no virtual time")
	}
	return judgeRoom(cache, directory, cacheRoom, "make room there ('halfopen cache clean'), or set XDG_CACHE_HOME to another directory")
}

// judgeRoom compares the room in a directory, or in the first one above it that is there, with
// what is needed.
func judgeRoom(what, directory string, needed uint64, remedy string) Finding {
	var s unix.Statfs_t
	for at := directory; ; at = filepath.Dir(at) {
		err := unix.Statfs(at, &s)
		if errors.Is(err, fs.ErrNotExist) && at != "/" {
			continue
		}
		if err != nil {
			return Finding{What: what, Means: directory + " could not be looked at", Remedy: fmt.Sprintf("%v: %s", err, remedy)}
		}
		break
	}
	free := s.Bavail * uint64(s.Bsize)
	f := Finding{What: what, Here: free >= needed, Means: fmt.Sprintf("%d MiB are free for %s", free>>20, directory)}
	if !f.Here {
		f.Means = fmt.Sprintf("%d MiB are free for %s, and %d may be needed", free>>20, directory, needed>>20)
		f.Remedy = remedy
	}
	return f
}

func tryTracing() Finding {
	const means, missing = "audits can be made on the running kernel (--host)", "audits are made in virtual time only, without --host"
	if os.Geteuid() != 0 {
		return Finding{What: tracing, Means: missing + ": the kernel lets root alone read its trace of sockets", Remedy: "run audits with --host as root"}
	}
	release, err := trace.Hold()
	if err == nil {
		err = release()
	}
	return judge(tracing, err, means, missing)
}

// tryTracer takes a descriptor from a child, as an audit takes the program's socket.
func tryTracer() Finding {
	const means, missing = "the settings of a program's own socket can be read on the running kernel (--host)", "audits on the running kernel (--host) cannot read the settings of a program's socket"
	f := judge(tracer, takeDescriptor(), means, missing)
	if !f.Here {
		f.Remedy += tracerRemedy()
	}
	return f
}

func takeDescriptor() error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = w.Close() }()
	cmd := exec.Command("/bin/sh", "-c", "read end")
	cmd.Stdin = r
	if err := errors.Join(cmd.Start(), r.Close()); err != nil {
		return err
	}
	defer func() { _, _ = w.Close(), cmd.Wait() }() // it reads the end of its input
	pidfd, err := unix.PidfdOpen(cmd.Process.Pid, 0)
	if err != nil {
		return fmt.Errorf("pidfd_open(2): %w", err)
	}
	defer func() { _ = unix.Close(pidfd) }()
	fd, err := unix.PidfdGetfd(pidfd, 0, 0)
	if err != nil {
		return fmt.Errorf("pidfd_getfd(2): %w", err)
	}
	return unix.Close(fd)
}

// tracerRemedy returns what forbids tracing here: Yama (Documentation/admin-guide/LSM/Yama.rst),
// or a seccomp filter, such as a container's.
func tracerRemedy() string {
	scope, _ := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope")
	status, _ := os.ReadFile("/proc/self/status")
	switch {
	case strings.TrimSpace(string(scope)) == "3":
		return ": kernel.yama.ptrace_scope is 3: boot with another value"
	case bytes.Contains(status, []byte("\nSeccomp:\t2")):
		return ": a seccomp filter forbids it: in a container, add the capability SYS_PTRACE"
	}
	return ": it takes the capability SYS_PTRACE, Linux 5.6, and kernel.yama.ptrace_scope below 3"
}

// restrictions returns the sysctls that keep users from making namespaces on this machine, as
// "; here kernel.unprivileged_userns_clone is 0"; empty: none is known to.
func restrictions(root string) string {
	var found []string
	for _, s := range []struct{ name, value string }{
		{"kernel.apparmor_restrict_unprivileged_userns", "1"}, // Ubuntu
		{"kernel.unprivileged_userns_clone", "0"},             // Debian
		{"user.max_user_namespaces", "0"}, {"user.max_net_namespaces", "0"}, {"user.max_pid_namespaces", "0"},
	} {
		content, err := os.ReadFile(filepath.Join(root, strings.ReplaceAll(s.name, ".", "/")))
		if err == nil && strings.TrimSpace(string(content)) == s.value {
			found = append(found, s.name+" is "+s.value)
		}
	}
	if len(found) == 0 {
		return ""
	}
	return "; here " + strings.Join(found, " and ")
}
