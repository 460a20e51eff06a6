package guest

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
	"strings"
	"time"
)

// handOut writes the outcome and the report directory to the host. Only now does the
// guest have the device for it: a port that nobody writes to still takes time when
// its driver starts.
func handOut(plan *Plan, outcome Outcome) error {
	port, err := openPort(plan.LateModules)
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
	return errors.Join(compressed.Close(), out.Flush())
}

// openPort loads the drivers and opens the virtual serial port of that name.
func openPort(modules []string) (*os.File, error) {
	if err := load(modules); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		// The host tells the driver each port's name some time after it has started.
		names, _ := filepath.Glob("/sys/class/virtio-ports/*/name")
		for _, path := range names {
			name, err := os.ReadFile(path)
			if err != nil || strings.TrimSpace(string(name)) != Channel {
				continue
			}
			return os.OpenFile("/dev/"+filepath.Base(filepath.Dir(path)), os.O_WRONLY, 0)
		}
	}
	return nil, fmt.Errorf("the machine has no virtual serial port named %q", Channel)
}

// pack writes a directory as a tar archive: names, contents and permissions, in the
// order of names.
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
			return nil // a socket, a pipe: nothing to keep
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
