package box

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/peer"
	"github.com/halfopen-lab/halfopen/harness/reexec"
)

// Files are the files of one machine, for several boxes (Order.Files): what a program
// writes there, sockets among it, the programs of the others find. Each box still has
// processes of its own.
type Files struct{ namespace *os.File }

// keeper is the process that makes shared files.
const keeper reexec.Name = "box-files"

func init() { reexec.Register(keeper, keep) }

// made is the event of shared files that are there.
const made = "made"

// keep makes the files of a box, and holds them until it is killed.
func keep([]string) error {
	var o Order
	if err := json.NewDecoder(os.Stdin).Decode(&o); err != nil {
		return fmt.Errorf("reading the order for the files of a box: %w", err)
	}
	if err := enterRoot(o.Root); err != nil {
		return fmt.Errorf("making the files of a box: %w", err)
	}
	peer.Report(peer.Event{Name: made})
	select {}
}

// FilesCommand returns the command that makes files for several boxes; root is as in
// Order.Root. Start it on the boxes' host, take the files with AwaitFiles, and end it.
func FilesCommand(root string) (*exec.Cmd, error) {
	order, err := json.Marshal(Order{Root: root})
	if err != nil {
		return nil, fmt.Errorf("writing the order for the files of a box: %w", err)
	}
	cmd := reexec.Command(keeper)
	cmd.Stdin = bytes.NewReader(order)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS, Setpgid: true}
	return cmd, nil
}

// AwaitFiles waits until the process of FilesCommand has made its files, and returns them.
// They are there until Close and the end of the last box that has them, whatever becomes of
// the process. The error says why there are none, or is ctx's.
func AwaitFiles(ctx context.Context, p *peer.Program) (*Files, error) {
	if _, err := p.Await(ctx, made); err != nil {
		return nil, err
	}
	namespace, err := os.Open(fmt.Sprintf("/proc/%d/ns/mnt", p.PID()))
	if err != nil {
		return nil, fmt.Errorf("opening the files of a box: %w", err)
	}
	return &Files{namespace}, nil
}

// Close forgets the files. Boxes that have them keep them.
func (f *Files) Close() error { return f.namespace.Close() }

// filesFD is the descriptor on which a box gets the files that it shares: the first of
// exec.Cmd.ExtraFiles.
const filesFD = 3

// enterFiles enters the files that the box shares, with a /proc of its own. They are those of the
// calling thread, which must be locked, and of what that starts.
func enterFiles() error {
	err := unix.Unshare(unix.CLONE_FS) // setns(2): a thread that shares its root and directory cannot
	if err == nil {
		err = unix.Setns(filesFD, unix.CLONE_NEWNS)
	}
	if err == nil {
		err = unix.Unshare(unix.CLONE_NEWNS) // the same files; mounts of its own
	}
	if err != nil {
		return fmt.Errorf("entering the files that the box shares: %w", err)
	}
	return errors.Join(unix.Close(filesFD), mountProc("/proc"))
}
