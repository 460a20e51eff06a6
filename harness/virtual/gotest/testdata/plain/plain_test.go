package plain

import (
	"fmt"
	"os"
	"os/user"
	"testing"
	"time"
)

func TestPasses(t *testing.T) { t.Log("it says so") }

func TestFails(t *testing.T) { t.Error("expected to") }

func TestSkips(t *testing.T) { t.Skip("not today") }

func TestHasSubtests(t *testing.T) {
	t.Run("a b", func(t *testing.T) {})
	t.Run("c", func(t *testing.T) {
		t.Run("d", func(t *testing.T) { t.Error("deep") })
	})
}

func TestReadsItsDirectory(t *testing.T) {
	content, err := os.ReadFile("testdata/hello")
	if err != nil || string(content) != "hello\n" {
		t.Errorf("%q, %v", content, err)
	}
	if _, err := os.Stat("plain_test.go"); err != nil {
		t.Error(err)
	}
}

func TestSleepsForADay(t *testing.T) {
	if testing.Short() {
		t.Skip("it is short")
	}
	began := time.Now()
	time.Sleep(24 * time.Hour)
	if slept := time.Since(began); slept < 24*time.Hour || slept > 24*time.Hour+time.Second {
		t.Errorf("slept %v", slept)
	}
}

func TestFindsWhatProgramsFind(t *testing.T) {
	if u, err := user.Current(); err != nil || u.Username != "root" {
		t.Errorf("the user: %v, %v", u, err)
	}
	for _, name := range []string{"PATH", "HOME"} {
		if os.Getenv(name) == "" {
			t.Errorf("%s is not set", name)
		}
	}
	if got := os.Getenv("SAID"); got != "by the caller" {
		t.Errorf("SAID is %q", got)
	}
}

func FuzzSeeds(f *testing.F) {
	f.Add(1)
	f.Fuzz(func(*testing.T, int) {})
}

func Example() {
	fmt.Println("printed")
	// Output: printed
}

func Example_withoutOutput() {} // it is compiled, and does not run
