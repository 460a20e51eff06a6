package debian_test

import (
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
)

func TestADiskWithoutRoomSaysSo(t *testing.T) {
	directory := t.TempDir()
	if err := debian.RoomFor("building", directory, 1); err != nil {
		t.Error(err)
	}
	err := debian.RoomFor("building the user-mode kernel", directory, 1<<62)
	if err == nil || !strings.HasPrefix(err.Error(), "building the user-mode kernel takes 4611686018427 MB, and "+directory+" has ") {
		t.Error(err)
	}
}
