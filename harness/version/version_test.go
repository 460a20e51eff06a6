package version

import (
	"runtime/debug"
	"testing"
)

func TestTheVersionIsThatOfThisModule(t *testing.T) {
	ours, other := debug.Module{Path: module, Version: "v1.2.3"}, debug.Module{Path: "example.com/shop", Version: "v9.9.9"}
	replaced := debug.Module{Path: module, Version: "v1.2.3", Replace: &debug.Module{Path: "../..", Version: ""}}
	for _, c := range []struct {
		info debug.BuildInfo
		want string
	}{
		{debug.BuildInfo{Main: ours}, "v1.2.3"},
		{debug.BuildInfo{Main: other, Deps: []*debug.Module{&ours}}, "v1.2.3"},
		{debug.BuildInfo{Main: other, Deps: []*debug.Module{&replaced}}, unknown},
		{debug.BuildInfo{Main: other}, unknown},
		{debug.BuildInfo{Main: debug.Module{Path: module}}, unknown},
	} {
		if got := of(&c.info); got != c.want {
			t.Errorf("%+v: %s, expected %s", c.info, got, c.want)
		}
	}
	if String() == "" {
		t.Error("there is no version")
	}
}
