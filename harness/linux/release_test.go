package linux

import (
	"os"
	"strings"
	"testing"
)

func TestReleaseIsWhatTheKernelSays(t *testing.T) {
	content, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.TrimSpace(string(content)); Release() != want || !strings.HasPrefix(want, Running().String()+".") {
		t.Errorf("release %q, version %v, expected %q", Release(), Running(), want)
	}
}

func TestAVersionOfAReleaseIsCompared(t *testing.T) {
	for release, want := range map[string]Version{
		"6.12.117": {6, 12}, "6.1.0-56-cloud-amd64": {6, 1}, "6.18.44-fc-v595": {6, 18}, "7.0-rc1": {7, 0},
	} {
		if got, err := parse(release); got != want || err != nil {
			t.Errorf("%s: %v, %v", release, got, err)
		}
	}
	inOrder := []Version{{}, {5, 19}, {6, 1}, {6, 12}, {7, 0}}
	for i, a := range inOrder {
		for j, b := range inOrder {
			if a.Before(b) != (i < j) {
				t.Errorf("%v is before %v: %v", a, b, a.Before(b))
			}
		}
	}
}
