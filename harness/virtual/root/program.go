package root

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/u-root/u-root/pkg/ldd"

	"github.com/halfopen-lab/halfopen/harness/virtual"
)

// AddProgram puts a program file of this machine into a guest under a name, which must be
// absolute: the file with its permissions, the shared libraries and the loader that it
// needs, the locale C.UTF-8, and the interpreter of a script, unless the guest has one. A
// library that a program opens by itself later (dlopen(3)) must be added as well.
//
// The error names the library or the interpreter that this machine lacks.
func AddProgram(files *virtual.Files, name, file string) error {
	if !filepath.IsAbs(name) {
		return fmt.Errorf("adding the program %s: its name in the guest, %s, must begin with /", file, name)
	}
	if err := addFile(files, name, file); err != nil {
		return err
	}
	interpreter, err := interpreterOf(file)
	if err != nil {
		return err
	}
	for _, program := range interpreter {
		if hasProgram(files, program) {
			continue
		}
		found, err := exec.LookPath(program)
		if err != nil {
			return fmt.Errorf("%s is interpreted by %s, which is neither in the guest nor on this machine: install it, or add the Debian package that has it (--package)", file, program)
		}
		if err := addFile(files, found, found); err != nil {
			return err
		}
	}
	return nil
}

// addFile puts a file into the guest, and the shared libraries that it needs if it is a
// program or a library.
func addFile(files *virtual.Files, name, file string) error {
	if err := files.Copy(inUsr(name), file); err != nil {
		return err
	}
	libraries, err := ldd.FList(file)
	if err != nil {
		return fmt.Errorf("looking for the shared libraries of %s: %w", file, missingLibrary(err))
	}
	if len(libraries) == 0 {
		return nil
	}
	slices.Sort(libraries)
	for _, library := range libraries {
		if err := addLibrary(files, library); err != nil {
			return err
		}
	}
	linkToUsr(files)
	return addLocale(files)
}

// addLibrary puts a library, or a link to one, where the loader looks for it.
func addLibrary(files *virtual.Files, file string) error {
	target, err := os.Readlink(file)
	if err != nil { // not a link
		return files.Copy(inUsr(file), file)
	}
	files.Link(inUsr(file), target)
	return nil
}

// missingLibrary returns the part of the loader's complaint that names the library
// (ld.so(8)).
func missingLibrary(err error) error {
	_, complaint, found := strings.Cut(err.Error(), "error while loading shared libraries: ")
	if !found {
		return errors.New(strings.TrimSpace(err.Error()))
	}
	library, _, _ := strings.Cut(complaint, ":")
	return fmt.Errorf("the loader does not find %s: install it, or name its directory in LD_LIBRARY_PATH (and with --env for the guest)", library)
}

// merged are the directories that are links into /usr in a guest (Debian 12, UsrMerge).
var merged = []string{"/bin", "/sbin", "/lib", "/lib64"}

// linkToUsr makes the links of merged.
func linkToUsr(files *virtual.Files) {
	for _, directory := range merged {
		if !files.Has(directory) {
			files.Link(directory, "usr"+directory)
		}
	}
}

// inUsr returns the name that a file has without the links of merged: the kernel unpacks
// no file through a link.
func inUsr(name string) string {
	for _, directory := range merged {
		if strings.HasPrefix(name, directory+"/") {
			return "/usr" + name
		}
	}
	return name
}

// locale is the locale that needs no other package (LANG=C.UTF-8).
const locale = "/usr/lib/locale/C.utf8"

// addLocale puts the locale C.UTF-8 into the guest, if this machine has it as a directory
// and the guest lacks it.
func addLocale(files *virtual.Files) error {
	if info, err := os.Stat(locale); err != nil || !info.IsDir() || files.Has(locale) {
		return nil // such a C library has the locale built in, or no UTF-8
	}
	return copyDirectory(files, locale, locale, files.Copy)
}

// binaries are the directories in which a guest's programs are, in the order of PATH.
var binaries = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"}

// hasProgram reports whether a guest has a program, by its path or its name in PATH.
func hasProgram(files *virtual.Files, name string) bool {
	if filepath.IsAbs(name) {
		return files.Has(inUsr(name))
	}
	return slices.ContainsFunc(binaries, func(directory string) bool { return files.Has(filepath.Join(directory, name)) })
}

// interpreterOf returns the programs that a script's first line names (execve(2)): its
// interpreter, and for env(1) the program that env starts. A binary has none.
func interpreterOf(file string) ([]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	first, _ := bufio.NewReaderSize(f, 256).ReadSlice('\n')
	line, script := strings.CutPrefix(string(first), "#!")
	words := strings.Fields(line)
	switch {
	case !script || len(words) == 0:
		return nil, nil
	case filepath.Base(words[0]) != "env":
		return words[:1], nil // what follows is an argument
	}
	programs := words[:1]
	for _, word := range words[1:] {
		if !strings.HasPrefix(word, "-") && !strings.Contains(word, "=") { // options and variables of env
			return append(programs, word), nil
		}
	}
	return programs, nil
}
