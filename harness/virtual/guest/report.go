package guest

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// handOut writes the outcome and the report to the port.
func handOut(plan *Plan, outcome Outcome) error {
	port, err := openPort(plan)
	if err != nil {
		return fmt.Errorf("handing the report out: %w", err)
	}
	defer func() { _ = port.Close() }()
	out := bufio.NewWriterSize(port, 64<<10)
	line, err := json.Marshal(outcome)
	if err != nil {
		return err
	}
	if _, err := out.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("handing the outcome out: %w", err)
	}
	compressed, _ := gzip.NewWriterLevel(out, gzip.BestSpeed) // the level is valid
	if err := pack(compressed, plan.Report); err != nil {
		return fmt.Errorf("handing the report out: %w", err)
	}
	if err := compressed.Close(); err != nil {
		return fmt.Errorf("handing the report out: %w", err)
	}
	if plan.KeepChanges {
		compressed.Reset(out)
		if err := errors.Join(packLayer(compressed, upper(0)), compressed.Close()); err != nil {
			return fmt.Errorf("handing the changes of the root out: %w", err)
		}
	}
	return out.Flush()
}

// openPort loads the drivers of the port and opens it.
func openPort(plan *Plan) (*os.File, error) {
	if err := load(plan.LateModules); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		port, err := os.OpenFile(plan.Port, os.O_WRONLY|unix.O_NOCTTY, 0)
		// A driver that was just loaded finds its ports a little later.
		if errors.Is(err, fs.ErrNotExist) && time.Now().Before(deadline) {
			continue
		}
		if err == nil && term.IsTerminal(int(port.Fd())) {
			_, err = term.MakeRaw(int(port.Fd())) // otherwise the terminal changes line feeds
		}
		return port, err
	}
}

// pack writes the files of a directory as a tar archive, in the order of their names.
func pack(w io.Writer, directory string) error {
	archive := tar.NewWriter(w)
	err := filepath.WalkDir(directory, func(path string, entry os.DirEntry, err error) error {
		if err != nil || path == directory {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() && !info.IsDir() {
			return nil // a socket or a pipe has no content
		}
		name, err := filepath.Rel(directory, path)
		if err != nil {
			return err
		}
		if info.IsDir() {
			return archive.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: int64(info.Mode().Perm())})
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: int64(info.Mode().Perm()), Size: int64(len(content))}); err != nil {
			return err
		}
		_, err = archive.Write(content)
		return err
	})
	return errors.Join(err, archive.Close())
}
