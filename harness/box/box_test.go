package box_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/box"
	"github.com/halfopen-lab/halfopen/harness/netns"
	"github.com/halfopen-lab/halfopen/harness/peer"
	"github.com/halfopen-lab/halfopen/harness/private"
	"github.com/halfopen-lab/halfopen/harness/reexec"
	"github.com/halfopen-lab/halfopen/harness/timeline"
)

func TestMain(m *testing.M) {
	reexec.Main()
	private.Main(m.Run)
}

// start starts a shell script in a box, in a network namespace of its own.
func start(t *testing.T, script string) *peer.Program {
	t.Helper()
	return order(t, box.Order{Arguments: []string{"sh", "-c", script}, Directory: "/", Environment: []string{"PATH=/usr/bin:/bin", "GREETING=hello"}})
}

func order(t *testing.T, o box.Order) *peer.Program {
	t.Helper()
	ns, err := netns.New(t.Name())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ns.Close() })
	cmd, err := o.Command()
	if err != nil {
		t.Fatal(err)
	}
	p, err := peer.Start(ns, "server", cmd, timeline.New())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func awaitExit(t *testing.T, p *peer.Program) box.Exit {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	e, err := box.AwaitExit(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestWhatTheProgramWritesStaysInTheBox(t *testing.T) {
	// In this machine's root, in /tmp, and on a file system of its own, where there is one.
	file := filepath.Join(t.TempDir(), "written")
	p := start(t, "echo $GREETING from $$; test -t 1 && echo a terminal; echo x >"+file+" && cat "+file+"; ls /proc | grep -c '^[0-9]'; exit 3")
	if e := awaitExit(t, p); e.How != "exit status 3" || e.NotStarted || time.Since(e.At).Abs() > 10*time.Second {
		t.Errorf("it ended by %+v", e)
	}
	lines := box.Output(p)
	// The box's own process, the shell, ls and grep.
	if len(lines) != 4 || !strings.HasPrefix(lines[0], "hello from ") || lines[1] != "a terminal" || lines[2] != "x" || lines[3] > "5" {
		t.Errorf("it wrote %q", lines)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the file is on this machine (%v)", err)
	}
}

// The network is that of the box's host.
func TestABoxHasNamespacesOfItsOwn(t *testing.T) {
	kinds := []string{"pid", "mnt", "ipc", "uts", "cgroup", "net"}
	var ours []string
	for _, kind := range kinds {
		namespace, err := os.Readlink("/proc/self/ns/" + kind)
		if err != nil {
			t.Fatal(err)
		}
		ours = append(ours, namespace)
	}
	p := start(t, "cd /proc/self/ns && readlink "+strings.Join(kinds, " ")+" && cat /proc/self/cgroup")
	awaitExit(t, p)
	lines := box.Output(p)
	if len(lines) <= len(kinds) {
		t.Fatalf("it wrote %q", lines)
	}
	for i, kind := range kinds {
		if !strings.HasPrefix(lines[i], kind+":") || lines[i] == ours[i] {
			t.Errorf("its namespace is %s, and ours %s", lines[i], ours[i])
		}
	}
	for _, group := range lines[len(kinds):] { // where the caller's is stays unknown to it
		if !strings.HasSuffix(group, ":/") {
			t.Errorf("its control group is %s", group)
		}
	}
}

// The settings are written as they are: the machine stays as it is even where the test fails.
func TestTheProgramStaysInItsBox(t *testing.T) {
	open, err := os.Open("/etc/passwd")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = open.Close() }()
	if _, err := unix.FcntlInt(open.Fd(), unix.F_SETFD, 0); err != nil { // as a caller's file that it has not marked
		t.Fatal(err)
	}
	const script = `
try() { "$@" >/dev/null 2>&1 && echo "it could $*"; }
try sh -c 'p=$(cat /proc/sys/kernel/core_pattern); echo "$p" >/proc/sys/kernel/core_pattern'
try sh -c 'p=$(hostname); echo "$p" >/proc/sys/kernel/hostname'
try sh -c ': >/proc/sysrq-trigger'
try sh -c ': >/sys/kernel/tracing/tracing_on'
try sh -c 'mknod /tmp/mem c 1 1 && head -c 1 /tmp/mem'
try sh -c 'mknod /dev/zero2 c 1 5 && head -c 1 /dev/zero2'
try mount -t tmpfs none /srv
try umount /
try umount /proc/sys
try mount -o remount,rw /sys
try unshare -Urpf --mount-proc sh -c 'p=$(cat /proc/sys/kernel/core_pattern); echo "$p" >/proc/sys/kernel/core_pattern'
try unshare -Ur umount /proc/sys
try cat /proc/1/environ
try ls /proc/1/root/
try readlink /proc/1/fd/1
try ls -d /mnt/root /mnt/0
test $(ls /proc/self/fd | wc -l) = 4 || echo "it has open files: $(ls -l /proc/self/fd)"
`
	p := start(t, script)
	if e := awaitExit(t, p); e.NotStarted {
		t.Errorf("it ended by %+v", e)
	}
	for _, line := range box.Output(p) {
		t.Error(line)
	}
}

// A process with CAP_SYS_CHROOT leaves a chroot(2) by another one: the directory that it has
// open is then outside its root (chroot(2), NOTES).
func TestAProgramCannotLeaveTheRootOfItsBox(t *testing.T) {
	if _, err := os.Stat("/usr/bin/python3"); err != nil {
		t.Fatalf("%v: install python3", err)
	}
	file := filepath.Join("/srv", "escaped-"+filepath.Base(t.TempDir()))
	const script = `exec /usr/bin/python3 -c '
import os, sys
os.mkdir("/srv/d"); os.chroot("/srv/d")
for _ in range(64): os.chdir("..")
os.chroot("."); open(sys.argv[1], "w").write("x"); print(len(os.listdir("/srv")))' `
	p := start(t, script+file)
	awaitExit(t, p)
	if lines := box.Output(p); len(lines) != 1 || lines[0] != "2" { // d, and the file
		t.Errorf("it found %q in /srv, expected its own two files", lines)
	}
	if _, err := os.Stat(file); err == nil {
		t.Errorf("it has made %s on this machine", file)
		_ = os.Remove(file)
	}
}

// A socket in the files is one more thing that the others find; processes are not.
func TestBoxesShareFilesAndNothingElse(t *testing.T) {
	cmd, err := box.FilesCommand("")
	if err != nil {
		t.Fatal(err)
	}
	ns, err := netns.New(t.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ns.Close() }()
	keeper, err := peer.Start(ns, "server", cmd, timeline.New())
	if err != nil {
		t.Fatal(err)
	}
	files, err := box.AwaitFiles(t.Context(), keeper)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = files.Close() }()
	if err := keeper.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "shared")
	run := func(script string, files *box.Files) []string {
		p := order(t, box.Order{Arguments: []string{"sh", "-c", script}, Directory: "/", Environment: []string{"PATH=/usr/bin:/bin"}, Files: files})
		if e := awaitExit(t, p); e.How != "exit status 0" {
			t.Errorf("%s: %s: %q", script, e.How, box.Output(p))
		}
		return box.Output(p)
	}
	run("echo hello >"+file+"; echo x >/run/state", files)
	if lines := run("cat "+file+" /run/state; test -e /proc/self/exe; ls /proc | grep -c '^[0-9]'; ls /proc/self/fd | grep -c 3", files); !slices.Equal(lines[:2], []string{"hello", "x"}) || lines[2] > "5" || lines[3] != "1" { // 3 is that of ls
		t.Errorf("the second box has %q", lines)
	}
	run("test ! -e "+file, nil)
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the file is on this machine (%v)", err)
	}
}

func TestALineIsAwaited(t *testing.T) {
	script := "for i in $(seq 300); do echo line $i; done; echo ready to accept; exec sleep 60"
	o := box.Order{Arguments: []string{"sh", "-c", script}, Directory: "/", Environment: []string{"PATH=/usr/bin:/bin"}, Line: "^ready .* accept$"}
	if err := box.AwaitLine(t.Context(), order(t, o)); err != nil {
		t.Error(err)
	}
	o.Arguments = []string{"sh", "-c", "echo never ready"}
	if err := box.AwaitLine(t.Context(), order(t, o)); err == nil {
		t.Error("a line that is not written is there")
	}
}

func TestAProgramHasNotEndedWhileItsChildrenRun(t *testing.T) {
	p := start(t, "sleep 0.3 & exit 0")
	began := time.Now()
	if e := awaitExit(t, p); !strings.Contains(e.How, "left in the background") || e.At.Sub(began) < 200*time.Millisecond {
		t.Errorf("it ended by %+v after %v", e, e.At.Sub(began))
	}
}

func TestAProgramThatCannotBeStartedSaysWhy(t *testing.T) {
	for want, o := range map[string]box.Order{
		"no-such-program: executable file not found in $PATH": {Arguments: []string{"no-such-program"}},
		"there is no user nobody-knows in /etc/passwd":        {Arguments: []string{"true"}, User: "nobody-knows"},
	} {
		o.Directory, o.Environment = "/", []string{"PATH=/usr/bin:/bin"}
		if e := awaitExit(t, order(t, o)); !e.NotStarted || !strings.Contains(e.How, want) {
			t.Errorf("%+v, expected %q", e, want)
		}
	}
}

func TestTheMarkIsWrittenBeforeTheProgramStarts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "marker")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p := order(t, box.Order{Arguments: []string{"cat", file}, Directory: "/", Environment: []string{"PATH=/usr/bin:/bin"}, Mark: box.Mark{File: file, Text: "trial 1"}})
	awaitExit(t, p)
	if lines := box.Output(p); !slices.Equal(lines, []string{"trial 1"}) {
		t.Errorf("the program found %q", lines)
	}
}

func TestSignalReachesAllProcessesAndNoOthers(t *testing.T) {
	p := start(t, "sleep 60 & echo started; exec sleep 60")
	await(t, "both processes run, and have waited for something", func() bool {
		inside, err := box.Processes(p.PID())
		n, failed := box.Wakeups(p.PID())
		return err == nil && failed == nil && len(inside) == 2 && len(box.Output(p)) == 1 && n > 0
	})
	if err := box.Signal(p.PID(), unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if e := awaitExit(t, p); e.How != "signal: terminated" && !strings.Contains(e.How, "left in the background") {
		t.Errorf("it ended by %+v", e)
	}
}

func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("waited 10 s until %s", what)
		}
	}
}
