package kernel

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// unneeded are the files of the source that a user-mode kernel is not built from, as
// patterns for tar: two thirds of it. Kconfig reads its own files everywhere.
//
//go:embed unneeded
var unneeded []byte

// makeArguments belong to every call of make, and makeEnvironment to everything that
// builds: they keep what differs between machines out of the kernel's bytes.
var (
	makeArguments   = []string{"ARCH=um"}
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

// unpack unpacks Debian's package of the source, and removes it.
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
	cores := runtime.GOMAXPROCS(0) // which a container's limits decide too
	t.progress.begin("compiling on %d cores", cores)
	steps := &counter{to: t.log.file, each: func(done int64) { t.progress.part(done, expectedSteps[t.source]) }}
	if err := t.make(ctx, steps, "-j"+strconv.Itoa(cores), "linux"); err != nil {
		return "", t.log.failed("compiling the kernel", err)
	}
	_, _ = fmt.Fprintf(t.log.file, "%d steps\n", steps.lines)
	if err := run(ctx, t.command("strip", "-o", "linux.stripped", "linux")); err != nil {
		return "", t.log.failed("stripping the kernel", err)
	}
	return filepath.Join(t.directory, "linux.stripped"), nil
}

// configure writes the kernel's .config: what the recipe says, and everything else off.
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
	if missing := t.recipe.missing(got); len(missing) > 0 {
		return fmt.Errorf("configuring the kernel: %s does not take %s", t.source.debianPackage(), strings.Join(missing, ", "))
	}
	return nil
}

// release is the kernel's name for itself.
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

// command is a program that runs in the tree. Of this process's environment it gets what
// it cannot do without: a variable may change what make builds.
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

// counter counts the lines that make prints for the steps of a build, which begin with
// two spaces: "  CC      kernel/fork.o".
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
		if bytes.HasPrefix(c.begun, []byte("  ")) {
			c.lines++
		}
		c.begun = c.begun[:0]
	}
	c.each(c.lines)
	return c.to.Write(p)
}

// expectedSteps is how many steps each source took when it was last measured. It only
// decides the percentage that is shown.
var expectedSteps = map[Source]int64{Debian13: 900, Debian12: 900}
