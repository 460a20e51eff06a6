package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/prometheus/procfs"

	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/debian"
	"github.com/halfopen-lab/halfopen/harness/virtual/kernel"
	"github.com/halfopen-lab/halfopen/harness/virtual/qemu"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
	"github.com/halfopen-lab/halfopen/harness/virtual/um"
)

// What is tried for virtual time.
const (
	userMode    = "user-mode kernel"
	emulator    = "QEMU"
	debianImage = "QEMU's kernel"
	memory      = "memory"
	cores       = "cores"
)

// withoutCache is what is said of kernels where there can be no cache, which has a finding of its
// own.
const withoutCache = "not tried: it takes the cache"

// neededByMachines is, for each machine of guests, what it does not do without.
var neededByMachines = [][]string{{userMode}, {emulator, debianImage}}

func virtualTime(ctx context.Context) []Finding {
	usable, err := virtual.Cores()
	kernels := []Finding{{What: userMode, Means: withoutCache}, tryEmulator(ctx), {What: debianImage, Means: withoutCache}}
	if environment.CheckCache() == nil {
		kernels[0], kernels[2] = tryUserMode(ctx), findImage()
	}
	return append(kernels, measureMemory(min(max(1, len(usable)), shard.Count)), countCores(usable, err))
}

// tryUserMode boots the user-mode kernel where it is in the cache. One that can be built
// is as good as here.
func tryUserMode(ctx context.Context) Finding {
	k, err := kernel.Find(kernel.Default)
	if errors.Is(err, kernel.ErrNotBuilt) {
		return judge(userMode, kernel.Buildable(ctx), "not built yet: 'halfopen kernel build' builds it, once, and so does the first run",
			"guests run in QEMU only, where it is installed")
	}
	if err == nil {
		err = um.Try(ctx, k.File)
	}
	return judge(userMode, err, "guests with virtual time run at this machine's own speed: Linux "+k.Release,
		"guests run in QEMU only, where it is installed")
}

func tryEmulator(ctx context.Context) Finding {
	version, err := qemu.Emulator(ctx)
	return judge(emulator, err, "guests can also be emulated: "+version, "guests cannot be emulated (--machine qemu)")
}

// findImage looks into the cache, as package debian has filled it. What apt can fetch is
// as good as here.
func findImage() Finding {
	directory, err := debian.Directory(qemu.DefaultKernel)
	if err == nil {
		_, err = os.Stat(directory)
	}
	if err == nil {
		var k qemu.Kernel
		if k, err = qemu.FindKernel(directory); err == nil {
			return Finding{What: debianImage, Here: true, Means: k.Release() + " is in the cache"}
		}
	}
	if !errors.Is(err, os.ErrNotExist) {
		return Finding{What: debianImage, Means: "guests cannot be emulated", Remedy: fmt.Sprintf("%v: remove %s and run it again", err, directory)}
	}
	fromDebian := "run any audit on a Debian, and copy " + directory + " from there"
	for _, program := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			return Finding{What: debianImage, Means: "guests cannot be emulated: it is not in the cache, and there is no " + program + " to fetch it", Remedy: fromDebian}
		}
	}
	release, err := os.ReadFile("/etc/os-release") // os-release(5)
	if err == nil && !isDebian(string(release)) {
		return Finding{What: debianImage, Means: "guests cannot be emulated: it is not in the cache, and this system's archive is not Debian's", Remedy: fromDebian}
	}
	return Finding{What: debianImage, Here: true, Means: "not in the cache yet: the first run fetches it with apt (not tried: it takes the network)"}
}

// isDebian says whether a system is a Debian, and no other with apt.
func isDebian(release string) bool {
	for line := range strings.Lines(release) {
		if id, ok := strings.CutPrefix(strings.TrimSpace(line), "ID="); ok {
			return strings.Trim(id, `"'`) == "debian"
		}
	}
	return false
}

func measureMemory(guests int) Finding {
	var info procfs.Meminfo
	proc, err := procfs.NewDefaultFS()
	if err == nil {
		info, err = proc.Meminfo()
	}
	if err != nil || info.MemAvailableBytes == nil {
		return Finding{What: memory, Means: "it could not be measured", Remedy: fmt.Sprintf("mount /proc, which says how much is available (%v)", err)}
	}
	return judgeMemory(int(*info.MemAvailableBytes>>20), guests)
}

// judgeMemory compares the available memory, in MiB, with what a number of guests takes
// that run at once.
func judgeMemory(available, guests int) Finding {
	f := Finding{What: memory, Here: available >= guests*shard.Memory, Means: fmt.Sprintf("%d MiB are available; each guest of a run is given %d, and %d run at once", available, shard.Memory, guests)}
	if !f.Here {
		f.Remedy = fmt.Sprintf("free some, or let fewer run at once: taskset -c 0-%d halfopen test", max(1, available/shard.Memory)-1)
	}
	return f
}

// countCores says what the cores mean that this process may use.
func countCores(usable []int, err error) Finding {
	if err != nil {
		return Finding{What: cores, Means: "they could not be counted", Remedy: err.Error()}
	}
	return Finding{What: cores, Here: true, Means: fmt.Sprintf("%d: so many of a run's %d guests work side by side", len(usable), shard.Count)}
}
