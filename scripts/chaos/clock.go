package chaos

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
)

// Linux has one CLOCK_REALTIME for all namespaces, and the machine's own must not be stepped. So
// the commands get a private one: they are built with a package time whose Now adds a number of
// seconds that all their processes share, in a file. The monotonic clock, the timers and the
// times of files go on, as they do when an administrator or NTP steps the clock (clock_settime(2)).

// clockVariable names the file with the seconds, for the commands that are built here.
const clockVariable = "CHAOS_CLOCK"

// reading is the line of time.Now that reads the clock, and stepped what replaces it.
const (
	reading = "\tsec, nsec, mono := runtimeNow()\n\tif mono == 0 {\n"
	stepped = "\tsec, nsec, mono := runtimeNow()\n\tsec += chaosStep()\n\tif mono == 0 {\n"
)

// stepSource is a file of package time.
const stepSource = `package time

import (
	"sync/atomic"
	"syscall"
	"unsafe"
)

var chaosSeconds = chaosMap()

func chaosMap() *int64 {
	name, _ := syscall.Getenv("` + clockVariable + `")
	fd, err := syscall.Open(name, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return new(int64) // the process has another root, or no descriptor is left
	}
	defer syscall.Close(fd)
	page, err := syscall.Mmap(fd, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return new(int64)
	}
	return (*int64)(unsafe.Pointer(&page[0]))
}

func chaosStep() int64 { return atomic.LoadInt64(chaosSeconds) }
`

// overlay writes what go build needs to use that package time, and returns its flag.
func overlay(directory string) (flag string, err error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOROOT: %w", err)
	}
	folder := filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	original := filepath.Join(folder, "time.go")
	content, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	if strings.Count(string(content), reading) != 1 {
		return "", fmt.Errorf("%s does not read the clock as it did in Go 1.26: adapt scripts/chaos/clock.go", original)
	}
	replaced := map[string]string{}
	for name, text := range map[string]string{"time.go": strings.Replace(string(content), reading, stepped, 1), "chaos.go": stepSource} {
		replaced[filepath.Join(folder, name)] = filepath.Join(directory, "clock-"+name)
		if err := atomicfile.WriteFile(filepath.Join(directory, "clock-"+name), []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	table, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return "", err
	}
	file := filepath.Join(directory, "clock.json")
	return "-overlay=" + file, atomicfile.WriteFile(file, table, 0o644)
}

// step sets the private clock so much before or after the machine's. The file is written in
// place: the processes that run have it mapped.
func step(file string, by time.Duration) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	seconds := binary.NativeEndian.AppendUint64(nil, uint64(int64(by/time.Second)))
	_, err = f.WriteAt(seconds, 0)
	return err
}

// steps are by how much clocks are stepped: by NTP at boot, by a time zone that was mistaken, and
// by a battery that was empty.
var steps = []time.Duration{-20 * 365 * 24 * time.Hour, -24 * time.Hour, -time.Hour, -2 * time.Second, 2 * time.Second, time.Hour, 24 * time.Hour, 400 * 24 * time.Hour}

func anyStep(random *rand.Rand) time.Duration { return steps[random.IntN(len(steps))] }
