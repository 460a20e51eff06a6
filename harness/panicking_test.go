package harness

import "testing"

func TestAPanicIsSeenByWhatRunsBecauseOfIt(t *testing.T) {
	if panicking() {
		t.Error("nothing panics")
	}
	seen := false
	func() {
		defer func() { _ = recover() }()
		defer func() { seen = panicking() }()
		panic("as it should")
	}()
	if !seen {
		t.Error("a panic is not seen")
	}
	if panicking() {
		t.Error("the panic is over")
	}
}
