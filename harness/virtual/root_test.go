package virtual_test

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
)

// inRoot is a guest that runs a shell command in a root.
func inRoot(t *testing.T, root *guest.Root, command string) (*virtual.Guest, *bytes.Buffer) {
	t.Helper()
	found, err := machine.Find(t.Context(), machine.Want{Name: machine.UM}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	files := &virtual.Files{}
	if err := files.Build(t.Context(), "/init", "./guest/init"); err != nil {
		t.Fatal(err)
	}
	out := &bytes.Buffer{}
	return &virtual.Guest{
		Machine: found, Files: files, Memory: 512, Seed: 1, Roots: []*guest.Root{root}, Silence: time.Minute,
		Commands: []guest.Command{{Arguments: []string{"/bin/sh", "-c", command}, Directory: "/", InRoot: true}},
		Report:   "/report", Console: out,
	}, out
}

func TestTheMachinesRootIsThereAndStaysAsItIs(t *testing.T) {
	directory := t.TempDir()
	file := filepath.Join(directory, "file")
	if err := os.WriteFile(file, []byte("the machine's\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	g, out := inRoot(t, &guest.Root{Below: "/"},
		"cat "+file+"; echo changed >"+file+"; cat "+file+"; echo new >"+directory+"/new; mkdir /mnt/there && rm -r /etc/passwd && ls /proc/self/fd >/dev/null && test -w /run && echo all")
	result, err := g.Run(t.Context())
	if err != nil || result.Status() != 0 || out.String() != "the machine's\nchanged\nall\n" {
		t.Errorf("status %d, %v: %q", result.Status(), err, out)
	}
	if content, err := os.ReadFile(file); err != nil || string(content) != "the machine's\n" {
		t.Errorf("the machine's file has %q, %v", content, err)
	}
	if entries, _ := os.ReadDir(directory); len(entries) != 1 {
		t.Errorf("the machine's directory has %v", entries)
	}
	for name, there := range map[string]bool{"/mnt/there": false, "/etc/passwd": true} {
		if _, err := os.Stat(name); (err == nil) != there {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A program that is root in the guest could otherwise mount the machine's files again, and
// write to them.
func TestAProgramCannotMountTheMachinesFiles(t *testing.T) {
	g, out := inRoot(t, &guest.Root{Below: "/"}, "mount -t hostfs none /mnt -o /; mount -o remount,rw /; unshare -rm mount -t hostfs none /mnt -o /; ls /mnt")
	if _, err := g.Run(t.Context()); err != nil || strings.Count(out.String(), "ermission denied")+strings.Count(out.String(), "not permitted") != 3 {
		t.Errorf("%v: %s", err, out)
	}
}

// The guest ends with its command, whatever that has left running.
func TestAGuestDoesNotWaitForWhatItsCommandLeavesRunning(t *testing.T) {
	g, out := inRoot(t, &guest.Root{Below: "/"}, "sleep 1000000 & (setsid sh -c 'while :; do sleep 0.001; done' &) ; (trap '' TERM HUP INT; setsid sleep 1000000 &); echo done")
	began := time.Now()
	result, err := g.Run(t.Context())
	if err != nil || result.Status() != 0 || time.Since(began) > 20*time.Second {
		t.Errorf("status %d after %v, %v: %s", result.Status(), time.Since(began), err, out)
	}
}

// The changes of one guest are a layer for the next.
func TestChangesAreALayer(t *testing.T) {
	g, out := inRoot(t, &guest.Root{Below: "/"}, `set -e
umask 022; mkdir -p /opt/halfopen/deep; echo one >/opt/halfopen/file; chown 33:33 /opt/halfopen/file; chmod 4711 /opt/halfopen/file
ln /opt/halfopen/file /opt/halfopen/same; ln -s file /opt/halfopen/link; mkfifo /opt/halfopen/pipe
rm /etc/hostname; rm -rf /etc/apt; mkdir /etc/apt; touch -d @1000000000 /opt/halfopen/deep; echo no >/run/no; echo no >/tmp/no`)
	layer := filepath.Join(t.TempDir(), "layer.tar")
	file, err := os.Create(layer)
	if err != nil {
		t.Fatal(err)
	}
	g.Changes = file
	if result, err := g.Run(t.Context()); err != nil || result.Status() != 0 {
		t.Fatalf("status %d, %v: %s", result.Status(), err, out)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	g, out = inRoot(t, &guest.Root{Below: "/", Layers: []guest.Layer{{File: layer, Machine: true}}},
		`cd /opt/halfopen; stat -c '%n %a %u:%g %h %F' file; cat same; readlink link; stat -c %F pipe; stat -c %Y deep; ls /etc/apt | wc -l; ls /etc/hostname /run/no /tmp/no 2>&1 | grep -c 'No such'; test -e /etc/passwd && echo there`)
	want := "file 4711 33:33 2 regular file\none\nfile\nfifo\n1000000000\n0\n3\nthere\n"
	if result, err := g.Run(t.Context()); err != nil || out.String() != want {
		t.Errorf("status %d, %v: %q, expected %q", result.Status(), err, out, want)
	}
}

// Lines of units and of tmpfiles.d as Debian's packages have them: redis-server, haproxy, systemd,
// postgresql-common, squid.
func TestServicesHaveTheirDirectories(t *testing.T) {
	archive := archiveOf(t, map[string]string{
		"usr/lib/systemd/system/redis.service":     "[Service]\nUser=www-data\nRuntimeDirectory=redis redis/more\nRuntimeDirectoryMode=2750\nExecStartPre=+/bin/mkdir /run/made\n",
		"usr/lib/systemd/system/nobody.service":    "[Service]\nUser=not-there\nRuntimeDirectory=of-nobody\n",
		"usr/lib/systemd/system/instance@.service": "[Service]\nRuntimeDirectory=instance-%i\n",
		"usr/lib/tmpfiles.d/zz-test.conf":          "# a comment\nd /run/halfopen 2775 www-data www-data - -\nD! /var/run/old 0700\nf /run/file 0644 - - - text\nd /srv/elsewhere 0755\nd /run/unknown 0755 not-there\nd /run/redis 0700 root root\nf! /run/nologin\n",
	})
	g, out := inRoot(t, &guest.Root{Below: "/", Layers: []guest.Layer{{File: "/layer.tar"}}, Services: true},
		"cd /run; stat -c '%n %a %U:%G' redis redis/more halfopen old made; cat file; ls -d of-nobody instance-* unknown nologin tmpfiles.d /srv/elsewhere 2>&1 | grep -c 'No such file'; test -w /run/lock && echo all")
	g.Files.Write("/layer.tar", archive, 0o644)
	if err := debian.Tools(t.Context(), g.Files); err != nil {
		t.Fatal(err)
	}
	want := "redis 2750 www-data:www-data\nredis/more 2750 www-data:www-data\nhalfopen 2775 www-data:www-data\nold 700 root:root\nmade 755 root:root\ntext6\nall\n"
	if result, err := g.Run(t.Context()); err != nil || out.String() != want {
		t.Errorf("status %d, %v: %q, expected %q", result.Status(), err, out, want)
	}
}

// archiveOf returns a tar archive with files.
func archiveOf(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for name, content := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return archive.Bytes()
}

// An archive is a whole root where nothing lies below it, and its names lead nowhere else.
func TestALayerIsAWholeRoot(t *testing.T) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	program := filepath.Join(t.TempDir(), "show")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./testdata/show")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	show, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range []struct {
		header  tar.Header
		content []byte
	}{
		{tar.Header{Name: "lib", Typeflag: tar.TypeSymlink, Linkname: "/usr/lib"}, nil},
		{tar.Header{Name: "out", Typeflag: tar.TypeSymlink, Linkname: "/../../../"}, nil},
		{tar.Header{Name: "bin/show", Mode: 0o755}, show},
		{tar.Header{Name: "lib/file", Mode: 0o644}, []byte("through a link\n")},
		{tar.Header{Name: "out/escaped", Mode: 0o644}, []byte("inside\n")},
		{tar.Header{Name: "../above", Mode: 0o644}, []byte("inside\n")},
	} {
		entry.header.Size = int64(len(entry.content))
		if err := w.WriteHeader(&entry.header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(entry.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	g, out := inRoot(t, &guest.Root{Layers: []guest.Layer{{File: "/image.tar"}}}, "")
	g.Commands[0].Arguments = []string{"/bin/show", "/usr/lib/file", "/escaped", "/above", "/"}
	g.Files.Write("/image.tar", archive.Bytes(), 0o644)
	want := "through a link\ninside\ninside\nabove\nbin\ndev\nescaped\nlib\nout\nproc\nrun\nsys\ntmp\nusr\n"
	if result, err := g.Run(t.Context()); err != nil || out.String() != want {
		t.Errorf("status %d, %v: %q, expected %q", result.Status(), err, out, want)
	}
}
