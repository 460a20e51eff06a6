package virtual

import (
	"fmt"
	"os"
	"testing"
)

// QEMU opens its files by the numbers of their descriptors, once more and so from
// their beginning.
func TestAFileWithoutANameIsOpenedByItsDescriptorAndNoOtherWay(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	f, err := unnamed()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.WriteString("written"); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("the directory has %v, %v, expected nothing", left, err)
	}
	if content, err := os.ReadFile(fmt.Sprintf("/dev/fd/%d", f.Fd())); err != nil || string(content) != "written" {
		t.Errorf("its descriptor has %q, %v", content, err)
	}
}
