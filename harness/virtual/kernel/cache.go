package kernel

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/inputfile"
)

// ErrNotBuilt is the error of a kernel that is not in the cache.
var ErrNotBuilt = errors.New("it is not in the cache")

// cache is the directory with the kernels. Each kernel is a file, and its record is a
// JSON file beside it. The record is written last: a kernel without one does not count.
type cache struct{ directory string }

const (
	prefix     = "linux-"
	metadata   = ".json"  // the suffix of a record
	unfinished = "build." // the prefix of a build's directory
)

// userCache returns the cache of the user (environment.Cache).
func userCache() (cache, error) {
	directory, err := environment.Cache()
	if err != nil {
		return cache{}, err
	}
	return cache{filepath.Join(directory, "kernel")}, nil
}

// list returns the kernels in the cache, the newest first. It does not check them.
func (c cache) list() ([]Kernel, error) {
	files, err := filepath.Glob(filepath.Join(escaped(c.directory), prefix+"*"+metadata))
	if err != nil {
		return nil, err
	}
	var kernels []Kernel
	for _, file := range files {
		k, err := c.read(strings.TrimSuffix(file, metadata))
		if errors.Is(err, os.ErrNotExist) {
			continue // the kernel was removed, but not its record
		}
		if err != nil {
			return nil, err
		}
		kernels = append(kernels, k)
	}
	slices.SortFunc(kernels, func(a, b Kernel) int { return b.Made.Compare(a.Made) })
	return kernels, nil
}

// read returns the kernel in a file. The error is os.ErrNotExist when the file or its
// record does not exist.
func (c cache) read(file string) (Kernel, error) {
	content, err := os.ReadFile(file + metadata)
	if err != nil {
		return Kernel{}, fmt.Errorf("reading the cache of kernels: %w", err)
	}
	k := Kernel{File: file}
	if err := inputfile.Unmarshal(content, &k); err != nil {
		return Kernel{}, &Damaged{file + metadata, err.Error()}
	}
	if _, err := os.Stat(file); err != nil {
		return Kernel{}, fmt.Errorf("reading the cache of kernels: %w", err)
	}
	return k, nil
}

// find returns the newest kernel of a source and a recipe.
func (c cache) find(s Source, recipe string) (Kernel, error) {
	kernels, err := c.list()
	if err != nil {
		return Kernel{}, err
	}
	for _, k := range kernels {
		if k.Source == s && k.Recipe == recipe {
			return k, k.Verify()
		}
	}
	return Kernel{}, fmt.Errorf("looking for the user-mode kernel %s: %w", s, ErrNotBuilt)
}

// path returns the file of a kernel with these inputs.
func (c cache) path(k Kernel) string {
	key := sha256.Sum256([]byte(strings.Join([]string{string(k.Source), k.Package, k.Recipe, k.Compiler}, "\n")))
	return filepath.Join(c.directory, prefix+k.Package+"-"+hex.EncodeToString(key[:6]))
}

// put moves a finished program into the cache and writes its record. The program must be
// on the cache's file system.
func (c cache) put(program string, k Kernel) (Kernel, error) {
	fail := func(err error) (Kernel, error) {
		return Kernel{}, fmt.Errorf("putting the kernel into the cache: %w", err)
	}
	content, err := os.ReadFile(program)
	if err != nil {
		return fail(err)
	}
	sum := sha256.Sum256(content)
	k.SHA256, k.Size, k.File = hex.EncodeToString(sum[:]), int64(len(content)), c.path(k)
	about, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return fail(err)
	}
	if err := os.Chmod(program, 0o755); err != nil {
		return fail(err)
	}
	if err := os.WriteFile(program+metadata, append(about, '\n'), 0o644); err != nil {
		return fail(err)
	}
	// A kernel is never beside the record of another.
	if err := os.Remove(k.File + metadata); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fail(err)
	}
	for _, suffix := range []string{"", metadata} {
		if err := synced(program + suffix); err != nil {
			return fail(err)
		}
		if err := os.Rename(program+suffix, k.File+suffix); err != nil {
			return fail(err)
		}
	}
	return k, nil
}

// synced writes a file to the disk. Without it, a file that was renamed may be empty after a
// crash.
func synced(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// escaped returns a pattern that matches a path alone.
func escaped(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}
