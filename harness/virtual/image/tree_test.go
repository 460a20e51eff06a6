package image

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// base is what every image has: the root, which no layer describes.
const base = "5 0755 0:0 ./"

// The rules are those of the image specification (layer.md), and where it is silent what
// containerd and Docker do.
func TestLayersLieOverOneAnother(t *testing.T) {
	for name, test := range map[string]struct {
		layers [][]tar.Header
		want   []string
	}{
		"a later file replaces one": {
			[][]tar.Header{{dir("etc/"), file("etc/a", "old"), file("etc/b", "kept")}, {file("etc/a", "new")}},
			[]string{base, "5 0755 0:0 etc/", "0 0644 0:0 etc/a = new", "0 0644 0:0 etc/b = kept"},
		},
		"names with ./ and / are the same": {
			[][]tar.Header{{file("./a", "1")}, {file("/a", "2")}},
			[]string{base, "0 0644 0:0 a = 2"},
		},
		"the last of a name in a layer counts": {
			[][]tar.Header{{file("a", "1"), file("a", "2")}},
			[]string{base, "0 0644 0:0 a = 2"},
		},
		"a whiteout removes a file, and a directory with all that it has": {
			[][]tar.Header{{file("a", ""), file("d/b", ""), file("c", "")}, {file(".wh.a", ""), file(".wh.d", "")}},
			[]string{base, "0 0644 0:0 c = "},
		},
		"a whiteout does not remove what its own layer has, whichever comes first": {
			[][]tar.Header{{file("a", "1"), file("b", "1"), file("d/old", "")}, {file(".wh.a", ""), file("a", "2"), file("b", "2"), file(".wh.b", ""), file("d/new", ""), file(".wh.d", "")}},
			[]string{base, "0 0644 0:0 a = 2", "0 0644 0:0 b = 2", "5 0755 0:0 d/", "0 0644 0:0 d/new = "},
		},
		"an opaque directory has nothing of lower layers": {
			[][]tar.Header{{file("d/old", ""), file("d/e/old", "")}, {dir("d/"), file("d/new", ""), file("d/.wh..wh..opq", ""), file("d/e/new", "")}},
			[]string{base, "5 0755 0:0 d/", "5 0755 0:0 d/e/", "0 0644 0:0 d/e/new = ", "0 0644 0:0 d/new = "},
		},
		"what AUFS keeps for itself is left out": {
			[][]tar.Header{{file(".wh..wh.aufs", ""), dir(".wh..wh.plnk/"), file("a", "")}},
			[]string{base, "0 0644 0:0 a = "},
		},
		"a directory keeps what it has when a layer changes its permissions": {
			[][]tar.Header{{dir("d/"), file("d/a", "")}, {{Typeflag: tar.TypeDir, Name: "d/", Mode: 0o1777, Uid: 7, Gid: 8}}},
			[]string{base, "5 1777 7:8 d/", "0 0644 0:0 d/a = "},
		},
		"a file replaces a directory, and a directory a link": {
			[][]tar.Header{{file("d/a", ""), symlink("l", "d")}, {file("d", "f"), dir("l/")}},
			[]string{base, "0 0644 0:0 d = f", "5 0755 0:0 l/"},
		},
		"a hard link keeps the content that it had": {
			[][]tar.Header{{file("a", "old"), link("b", "a")}, {file("a", "new")}},
			[]string{base, "0 0644 0:0 a = new", "0 0644 0:0 b = old"},
		},
		"a hard link to a file that is removed": {
			[][]tar.Header{{file("a", "x"), link("b", "./a")}, {file(".wh.a", "")}},
			[]string{base, "0 0644 0:0 b = x"},
		},
		"a hard link to a file of a lower layer, which sorts after it": {
			[][]tar.Header{{file("z", "x")}, {link("a", "/z")}},
			[]string{base, "0 0644 0:0 a = x", "1 0644 0:0 z -> a"},
		},
		"what is below a link is where the link leads": {
			[][]tar.Header{{dir("usr/lib/"), symlink("lib", "usr/lib"), symlink("abs", "/usr")}, {file("lib/x", "1"), file("abs/lib/y", "2")}},
			[]string{base, "2 0777 0:0 abs -> /usr", "2 0777 0:0 lib -> usr/lib", "5 0755 0:0 usr/", "5 0755 0:0 usr/lib/", "0 0644 0:0 usr/lib/x = 1", "0 0644 0:0 usr/lib/y = 2"},
		},
		"links that climb stay, and lead to the root": {
			[][]tar.Header{{symlink("up", "../../etc"), file("up/x", "1")}},
			[]string{base, "5 0755 0:0 etc/", "0 0644 0:0 etc/x = 1", "2 0777 0:0 up -> ../../etc"},
		},
		"owners, permissions, attributes, kinds": {
			[][]tar.Header{{
				{Typeflag: tar.TypeReg, Name: "ping", Mode: 0o4755, Uid: 33, Gid: 1 << 20, Uname: "www-data", PAXRecords: map[string]string{attribute + "security.capability": "\x01\x00\x00\x02\x00 ", attribute + "trusted.overlay.opaque": "y"}},
				{Typeflag: tar.TypeFifo, Name: "pipe", Mode: 0o600},
				{Typeflag: tar.TypeChar, Name: "chroot/dev/null", Mode: 0o666, Devmajor: 1, Devminor: 3},
				{Typeflag: tar.TypeBlock, Name: "dev/sda", Mode: 0o660, Devmajor: 8},
			}},
			[]string{base, "5 0755 0:0 chroot/", "5 0755 0:0 chroot/dev/", "3 0666 0:0 chroot/dev/null 1:3", "5 0755 0:0 dev/",
				`0 4755 33:1048576 ping =  [security.capability="\x01\x00\x00\x02\x00 "]`, "6 0600 0:0 pipe"},
		},
		"the root itself": {
			[][]tar.Header{{{Typeflag: tar.TypeDir, Name: "./", Mode: 0o700, Uid: 1, Gid: 2}}},
			[]string{"5 0700 1:2 ./"},
		},
	} {
		var layers []v1.Layer
		for _, headers := range test.layers {
			layers = append(layers, layerFrom(t, archiveOf(t, headers...)))
		}
		has, err := root(t, writeLayout(t, imageOf(t, v1.Config{}, layers...)))
		if err != nil || !slices.Equal(has, test.want) {
			t.Errorf("%s: %v\n has  %q\n want %q", name, err, has, test.want)
		}
	}
}

func TestTheDirectoriesThatAContainerIsGivenAreThere(t *testing.T) {
	has, err := root(t, writeLayout(t, imageOf(t, v1.Config{WorkingDir: "srv/app", Volumes: map[string]struct{}{"/data": {}}})))
	if want := []string{base, "5 0755 0:0 data/", "5 0755 0:0 srv/", "5 0755 0:0 srv/app/"}; err != nil || !slices.Equal(has, want) {
		t.Errorf("%q, %v", has, err)
	}
}

// apply applies one layer, with room for 1 MiB of contents, and as much of names.
func apply(t testing.TB, layer []byte) (*tree, error) {
	t.Helper()
	spool, err := os.Create(filepath.Join(t.TempDir(), "spool"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = spool.Close() })
	tr := newTree(spool)
	tr.most, tr.mostNames = 1<<20, 1<<20
	return tr, tr.apply(bytes.NewReader(layer))
}

// sized returns an archive whose only file says that it has so many bytes, and ends there.
func sized(t testing.TB, size int64) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := tar.NewWriter(&b).WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "big", Size: size, Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestMalformedLayersAreRefusedInOneLine(t *testing.T) {
	for want, layer := range map[string][]byte{
		`"../etc/passwd" leads out of the image`:                               archiveOf(t, file("../etc/passwd", "x")),
		`"a/../../b" leads out of the image`:                                   archiveOf(t, file("a/../../b", "x")),
		`"l" is a hard link to "../../etc/shadow", which leads out`:            archiveOf(t, link("l", "../../etc/shadow")),
		`"l" is a hard link to "/etc/shadow", which is no file`:                archiveOf(t, link("l", "/etc/shadow")),
		`"l" is a hard link to "/d", which is no file`:                         archiveOf(t, dir("d/"), link("l", "d")),
		`"a/b" is below symbolic links that lead to one another`:               archiveOf(t, symlink("a", "c"), symlink("c", "a"), file("a/b", "")),
		`"f/x" is below "f", which is no directory`:                            archiveOf(t, file("f", ""), file("f/x", "")),
		`"mem" is the device 1:1`:                                              archiveOf(t, tar.Header{Typeflag: tar.TypeChar, Name: "mem", Devmajor: 1, Devminor: 1}),
		`"disk" is the device 8:0`:                                             archiveOf(t, tar.Header{Typeflag: tar.TypeBlock, Name: "disk", Devmajor: 8}),
		`".wh." is a whiteout of nothing`:                                      archiveOf(t, file(".wh.", "")),
		`".wh..." is a whiteout of nothing`:                                    archiveOf(t, file(".wh...", "")),
		`"." is the image's root, and no directory`:                            archiveOf(t, file(".", "")),
		`"s" is a symbolic link to a path of 5000 bytes`:                       archiveOf(t, symlink("s", strings.Repeat("x", 5000))),
		`… has a name of 300 bytes`:                                            archiveOf(t, file(strings.Repeat("n", 300), "")),
		`… has a name of 5999 bytes: a path has at most 4095`:                  archiveOf(t, file(strings.Repeat("n/", 2999)+"n", "")),
		`"big" has 1099511627776 bytes: the files of an image may have`:        sized(t, 1<<40),
		`"u" has the owner 4294967295:0`:                                       archiveOf(t, tar.Header{Typeflag: tar.TypeReg, Name: "u", Uid: 1<<32 - 1}),
		`"odd" is of the unknown kind`:                                         archiveOf(t, tar.Header{Typeflag: 'Q', Name: "odd"}),
		"it is cut short":                                                      sized(t, 1000),
		"archive/tar: invalid tar header":                                      bytes.Repeat([]byte("x"), 1024),
		"the names and extended attributes of an image may have 1048576 bytes": attributes(t, 2),
	} {
		_, err := apply(t, layer)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, expected %q", err, want)
		}
	}
}

// attributes returns a layer with so many files, each with nearly a MiB of attributes.
func attributes(t testing.TB, n int) []byte {
	t.Helper()
	var headers []tar.Header
	value := strings.Repeat("v", 1<<20-100)
	for i := range n {
		headers = append(headers, tar.Header{Typeflag: tar.TypeReg, Name: "f" + strings.Repeat("x", i%200), PAXRecords: map[string]string{attribute + "user.x": value}})
	}
	return archiveOf(t, headers...)
}

func TestManyFilesThatAreTooMuchTogether(t *testing.T) {
	var headers []tar.Header
	for _, name := range []string{"a", "b", "c"} {
		headers = append(headers, file(name, strings.Repeat("x", 400<<10)))
	}
	if _, err := apply(t, archiveOf(t, headers...)); err == nil || !strings.Contains(err.Error(), `"c" has 409600 bytes`) {
		t.Error(err)
	}
}

// FuzzLayer applies any bytes as a layer: it is refused in one line, or gives an archive
// that has nothing outside itself and that is the same once more.
func FuzzLayer(f *testing.F) {
	f.Add(archiveOf(f, dir("d/"), file("d/a", "x"), link("b", "d/a"), symlink("l", "../d"), file("d/.wh.a", ""), file("l/c", "y")))
	f.Add(archiveOf(f, file("d/.wh..wh..opq", ""), tar.Header{Typeflag: tar.TypeChar, Name: "dev/x"}))
	f.Add([]byte("no archive"))
	f.Fuzz(func(t *testing.T, layer []byte) {
		tr, err := apply(t, layer)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("two lines: %v", err)
			}
			return
		}
		var first, second bytes.Buffer
		if err := tr.write(&first); err != nil {
			return
		}
		again, err := apply(t, first.Bytes())
		if err != nil {
			t.Fatalf("what it wrote is refused: %v", err)
		}
		if err := again.write(&second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("%v\n%q\n%q", err, lines(t, &first), lines(t, &second))
		}
	})
}
