package virtual

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
)

// Result is what came of a run.
type Result struct {
	Commands []guest.Ended // how those that have run ended, in their order
	Booted   time.Duration // virtual time from power-on to the start of the first command
	Virtual  time.Duration // virtual time from power-on to the end of the last command
	Kernel   string        // its name and release
	Wall     time.Duration // real time from the start of the machine to its end
	CPU      time.Duration // processor time that the machine took
	Memory   int64         // bytes of real memory that the machine took, at most
}

// Status returns the exit status of the only command, or of the last one; 1 where none
// has run.
func (r Result) Status() int {
	if len(r.Commands) == 0 {
		return 1
	}
	return r.Commands[len(r.Commands)-1].Status
}

// errNone means that the guest handed nothing out.
var errNone = errors.New("it ended without a report")

// longestOutcome is how many bytes the line of a guest's outcome may have. It has some
// sixty for each command.
const longestOutcome = 1 << 20

// errTooMuch means that the guest handed out more than it can have had.
var errTooMuch = errors.New("it hands out more than its memory can hold: what it runs has forged its report")

// receive reads what the guest has handed out, unpacks the report into a directory, and
// writes the changes of its root; "" unpacks nothing, and nil writes nothing. A guest is not
// trusted: neither of both may have more bytes than its memory, in MiB.
func receive(from io.Reader, memory int, directory string, changes io.Writer) (guest.Outcome, error) {
	var outcome guest.Outcome
	in := bufio.NewReaderSize(from, longestOutcome)
	line, err := in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return outcome, errTooMuch
	}
	if err != nil {
		return outcome, errNone
	}
	if err := json.Unmarshal(line, &outcome); err != nil {
		return outcome, fmt.Errorf("reading the outcome: %w", err)
	}
	if directory == "" && changes == nil {
		return outcome, nil
	}
	compressed, err := gzip.NewReader(in)
	if err != nil {
		return outcome, fmt.Errorf("reading the report: %w", err)
	}
	compressed.Multistream(false)
	most := int64(memory) << 20
	if directory != "" {
		if err := unpack(&bounded{compressed, most}, directory); err != nil {
			return outcome, fmt.Errorf("unpacking the report into %s: %w", directory, err)
		}
	}
	if changes == nil {
		return outcome, nil
	}
	// The archive's end is not yet the compressed one's.
	if _, err = io.Copy(io.Discard, &bounded{compressed, most}); err == nil {
		err = compressed.Reset(in)
	}
	if err == nil {
		_, err = io.Copy(changes, &bounded{compressed, most})
	}
	if err != nil {
		return outcome, fmt.Errorf("receiving the changes of the guest's root: %w", err)
	}
	return outcome, nil
}

// bounded is a reader that fails with errTooMuch after so many bytes.
type bounded struct {
	io.Reader
	left int64
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooMuch
	}
	return n, err
}

// unpack writes the files of a tar archive below a directory. It leaves that
// directory for no name, not even through a link.
func unpack(from io.Reader, directory string) error {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(directory)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	archive := tar.NewReader(from)
	for {
		header, err := archive.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		name := filepath.Clean(header.Name)
		mode := os.FileMode(header.Mode).Perm() | 0o600
		switch header.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(name, mode|0o700)
		case tar.TypeReg:
			err = write(root, name, mode, archive)
		default:
			err = fmt.Errorf("%s is neither a file nor a directory", header.Name)
		}
		if err != nil {
			return err
		}
	}
}

func write(root *os.Root, name string, mode os.FileMode, from io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	unfinished := filepath.Join(filepath.Dir(name), atomicfile.Prefix+filepath.Base(name))
	file, err := root.OpenFile(unfinished, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, from)
	if err := errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, root.Remove(unfinished))
	}
	return root.Rename(unfinished, name)
}
