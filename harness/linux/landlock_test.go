package linux

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// confined runs do on a thread that is confined.
func confined(t *testing.T, do func(), writable ...*os.File) {
	t.Helper()
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // for good
		err := ConfineThread(writable...)
		if err == nil {
			do()
		}
		failed <- err
	}()
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
}

func TestAConfinedThreadChangesNothing(t *testing.T) {
	directory := t.TempDir()
	name := filepath.Join(directory, "file")
	if err := os.WriteFile(name, []byte("as it was"), 0o666); err != nil {
		t.Fatal(err)
	}
	given, err := os.Create(filepath.Join(directory, "given"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = given.Close() }()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	confined(t, func() {
		for what, err := range map[string]error{
			"writing":       os.WriteFile(name, []byte("x"), 0o666),
			"truncating":    os.Truncate(name, 0),
			"making a file": os.WriteFile(name+"2", nil, 0o666),
			"making a link": os.Symlink("x", name+"3"),
			"a directory":   os.Mkdir(name+"4", 0o777),
			"a device":      unix.Mkfifo(name+"5", 0o777),
			"removing":      os.Remove(name),
			"renaming":      os.Rename(name, name+"6"),
		} {
			if !errors.Is(err, unix.EACCES) && !errors.Is(err, unix.EXDEV) {
				t.Errorf("%s: %v, expected EACCES", what, err)
			}
		}
		if _, err := os.ReadFile(name); err != nil {
			t.Errorf("reading: %v", err)
		}
		for _, allowed := range []string{given.Name(), "/dev/null", "/dev/ptmx"} {
			f, err := os.OpenFile(allowed, os.O_WRONLY|unix.O_NOCTTY, 0)
			if err != nil {
				t.Errorf("%v", err)
				continue
			}
			_ = f.Close()
		}
		if got := dial(t, listener.Addr().(*net.TCPAddr).Port); got != unix.EACCES && !Running().Before(Version{6, 7}) {
			t.Errorf("connecting: %v, expected EACCES", got)
		}
		if err := unix.Kill(os.Getppid(), 0); err != unix.EPERM && !Running().Before(Version{6, 12}) {
			t.Errorf("a signal to another program: %v, expected EPERM", err)
		}
	}, given)
	if content, err := os.ReadFile(name); string(content) != "as it was" {
		t.Errorf("the file has %q, %v", content, err)
	}
	if err := os.WriteFile(name, nil, 0o666); err != nil {
		t.Errorf("another thread is confined, too: %v", err)
	}
}

// dial connects to a port of 127.0.0.1 on the calling thread.
func dial(t *testing.T, port int) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Error(err)
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	return unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
}
