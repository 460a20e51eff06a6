package kernel

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// unneeded has patterns for tar: two thirds of the source, which a user-mode kernel is
// not built from. They spare all files of Kconfig, because make reads every one of them.
//
//go:embed unneeded
var unneeded []byte

// makeArguments are arguments of every make, and makeEnvironment is the environment of
// every program of a build. They keep this machine's name, user and clock out of the
// kernel, and whether it has Rust, its bindgen and pahole: the kernel carries its own
// configuration, which would name their versions.
var (
	makeArguments   = []string{"ARCH=um", "RUSTC=false", "BINDGEN=false", "PAHOLE=false"}
	makeEnvironment = []string{
		"KBUILD_BUILD_TIMESTAMP=Thu Jan  1 00:00:00 UTC 2026",
		"KBUILD_BUILD_USER=halfopen",
		"KBUILD_BUILD_HOST=halfopen",
		"KBUILD_BUILD_VERSION=1",
		"LC_ALL=C",
		"TZ=UTC",
	}
)

// tree is a kernel's source, from which one kernel is built.
type tree struct {
	directory string
	source    Source
	recipe    recipe
	progress  *progress
	log       *buildLog
}

// unpack unpacks Debian's package of the source and removes the package.
func (t tree) unpack(ctx context.Context, archive string) error {
	exclude := t.directory + ".unneeded"
	if err := os.WriteFile(exclude, unneeded, 0o644); err != nil {
		return err
	}
	if err := os.Mkdir(t.directory, 0o755); err != nil {
		return err
	}
	inner := "./usr/src/" + t.source.debianPackage() + ".tar.xz"
	err := run(ctx,
		t.command("dpkg-deb", "--fsys-tarfile", archive),
		t.command("tar", "--extract", "--to-stdout", "--occurrence", inner),
		t.command("xz", "--decompress", "--stdout", "--threads=0"),
		t.command("tar", "--extract", "--strip-components=1", "--no-same-owner", "--exclude-from="+exclude))
	if err != nil {
		return t.log.failed("unpacking "+filepath.Base(archive), err)
	}
	return os.Remove(archive)
}

// build patches the source, configures and compiles it, and returns the stripped
// program.
func (t tree) build(ctx context.Context) (string, error) {
	for _, p := range t.recipe.patches {
		cmd := t.command("patch", "-p1", "--forward", "--batch", "--no-backup-if-mismatch")
		cmd.Stdin, cmd.Stdout = bytes.NewReader(p.content), t.log.file
		if err := run(ctx, cmd); err != nil {
			return "", t.log.failed("applying "+p.name+" to "+t.source.debianPackage(), err)
		}
	}
	if err := t.configure(ctx); err != nil {
		return "", err
	}
	cores := runtime.GOMAXPROCS(0) // it respects a container's limits
	t.progress.begin("compiling on %d cores", cores)
	files := &counter{to: t.log.file, each: func(done int64) { t.progress.part(done, expectedFiles[t.source]) }}
	if err := t.make(ctx, files, "-j"+strconv.Itoa(cores), "linux"); err != nil {
		return "", t.log.failed("compiling the kernel", err)
	}
	_, _ = fmt.Fprintf(t.log.file, "%d files compiled\n", files.lines)
	if err := run(ctx, t.command("strip", "-o", "linux.stripped", "linux")); err != nil {
		return "", t.log.failed("stripping the kernel", err)
	}
	return filepath.Join(t.directory, "linux.stripped"), nil
}

// configure writes the kernel's .config: the recipe's settings, and all others off.
func (t tree) configure(ctx context.Context) error {
	config := t.directory + ".config"
	if err := os.WriteFile(config, t.recipe.config, 0o644); err != nil {
		return err
	}
	if err := t.make(ctx, t.log.file, "KCONFIG_ALLCONFIG="+config, "allnoconfig"); err != nil {
		return t.log.failed("configuring the kernel", err)
	}
	got, err := os.ReadFile(filepath.Join(t.directory, ".config"))
	if err != nil {
		return fmt.Errorf("configuring the kernel: %w", err)
	}
	missing := t.recipe.missing(got)
	// The configuration is written for the default source. Another may lack some names.
	if len(missing) > 0 && t.source != Default {
		names, err := t.names()
		if err != nil {
			return fmt.Errorf("configuring the kernel: %w", err)
		}
		missing = slices.DeleteFunc(missing, func(s setting) bool { return !names[s.name] })
	}
	if len(missing) > 0 {
		return fmt.Errorf("configuring the kernel: %s does not take %s", t.source.debianPackage(), joined(missing))
	}
	return nil
}

func joined(settings []setting) string {
	var texts []string
	for _, s := range settings {
		texts = append(texts, s.String())
	}
	return strings.Join(texts, ", ")
}

// names returns the names of all settings that the source has.
func (t tree) names() (map[string]bool, error) {
	names := map[string]bool{}
	err := filepath.WalkDir(t.directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || !strings.HasPrefix(entry.Name(), "Kconfig") {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(content)) {
			if word := strings.Fields(line); len(word) == 2 && (word[0] == "config" || word[0] == "menuconfig") {
				names["CONFIG_"+word[1]] = true
			}
		}
		return nil
	})
	return names, err
}

// release returns the kernel's release (uname -r).
func (t tree) release() (string, error) {
	release, err := os.ReadFile(filepath.Join(t.directory, "include", "config", "kernel.release"))
	if err != nil {
		return "", fmt.Errorf("reading the kernel's release: %w", err)
	}
	return strings.TrimSpace(string(release)), nil
}

func (t tree) make(ctx context.Context, output io.Writer, arguments ...string) error {
	cmd := t.command("make", slices.Concat(makeArguments, arguments)...)
	cmd.Stdout = output
	return run(ctx, cmd)
}

// command is a program that runs in the tree. It gets few variables of this process's
// environment, because others could change what make builds.
func (t tree) command(name string, arguments ...string) *exec.Cmd {
	cmd := exec.Command(name, arguments...)
	cmd.Dir = t.directory
	cmd.Env = slices.Clone(makeEnvironment)
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	cmd.Stderr = t.log.file
	return cmd
}

// counter counts the files that a build has compiled. make prints a line for each:
// "  CC      kernel/fork.o".
type counter struct {
	to    io.Writer
	each  func(lines int64)
	lines int64
	begun []byte // the first bytes of a line that has not ended
}

func (c *counter) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		c.begun = append(c.begun, line...)
		if !bytes.HasSuffix(line, []byte("\n")) {
			break
		}
		if bytes.HasPrefix(c.begun, []byte("  CC ")) {
			c.lines++
		}
		c.begun = c.begun[:0]
	}
	c.each(c.lines)
	return c.to.Write(p)
}

// expectedFiles is the measured number of files that are compiled of each source, for the
// percentage.
var expectedFiles = map[Source]int64{Debian13: 1000, Debian12: 1000}
