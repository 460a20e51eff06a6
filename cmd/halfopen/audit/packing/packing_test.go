package packing

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness/virtual"
)

func empty() *Guest {
	return &Guest{Files: &virtual.Files{}, users: basic(), packages: map[string]string{}}
}

func TestWhatAPackagesScriptWouldDo(t *testing.T) {
	g := empty()
	// Lines of openssh-server.postinst and nginx-common.postinst.
	g.installed(`
		adduser --quiet --system --no-create-home --home /run/sshd --shell /usr/sbin/nologin sshd
	fi
      ln -s /etc/nginx/sites-available/default /etc/nginx/sites-enabled/default
	ln -s $there /etc/elsewhere
`)
	if !slices.Equal(g.users.names, []string{"sshd"}) {
		t.Errorf("the users are %q", g.users.names)
	}
	if n := g.Files.Names(); !slices.Contains(n, "etc/nginx/sites-enabled/default") || slices.Contains(n, "etc/elsewhere") {
		t.Errorf("the files are %q", n)
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	directory := t.TempDir()
	write := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for command, want := range map[string]string{
		"no-such-program-anywhere":                                      "no-such-program-anywhere is not on this machine",
		write("plain", "x", 0o644):                                      "may not be executed",
		write("script", "#!/usr/bin/env no-such-interpreter\n", 0o755):  "is interpreted by no-such-interpreter, which is not on this machine",
		write("other-script", "#!/opt/no-such-interpreter -x\n", 0o755): "is interpreted by /opt/no-such-interpreter",
	} {
		_, err := empty().Program(command)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, expected %q on one line", command, err, want)
		}
	}
	for what, want := range map[string]string{"/no/such": "no such file", directory + ":relative": "must begin with /"} {
		if err := empty().Take(what); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("taking %s: %v, expected %q", what, err, want)
		}
	}
}

func TestAProgramComesWithItsLibrariesAndTheFilesThatItNames(t *testing.T) {
	directory := t.TempDir()
	t.Chdir(directory)
	for _, name := range []string{"my.conf", "absolute.conf", "packaged.conf"} {
		if err := os.WriteFile(name, []byte("this machine's"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	g := empty()
	p, err := g.Program("cat --conf=my.conf " + directory + "/absolute.conf /proc/version 8080")
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Join(g.Files.Names(), " ")
	for _, want := range []string{"bin/cat", "libc.so.6", "ld-linux", "/my.conf", "/absolute.conf"} {
		if !strings.Contains(names, want) {
			t.Errorf("%s is not in the guest: %s", want, names)
		}
	}
	if strings.Contains(names, "proc/version") {
		t.Error("a file of this machine's kernel was taken along")
	}
	if !filepath.IsAbs(p.Command[0]) || p.Directory != directory {
		t.Errorf("the program is %+v", p)
	}
}

func TestAFileThatIsThereIsNotReplacedByThisMachines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server.conf")
	if err := os.WriteFile(path, []byte("this machine's"), 0o644); err != nil {
		t.Fatal(err)
	}
	g := empty()
	g.Files.Write(path, []byte("the package's own"), 0o644)
	if err := g.argument(path); err != nil || g.Files.Size() != int64(len("the package's own")) {
		t.Errorf("it was replaced (%v)", err)
	}
}
