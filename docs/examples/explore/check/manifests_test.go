package check

import (
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	batch "k8s.io/api/batch/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

func read(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile("../" + file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// decode reads a manifest as Kubernetes does that is asked to be strict (kubectl apply
// --validate=strict): a field that there is not, or there twice, is an error.
func decode(content []byte, into any) []error {
	asJSON, err := yaml.YAMLToJSONStrict(content)
	if err != nil {
		return []error{err}
	}
	wrong, err := json.UnmarshalStrict(asJSON, into)
	if err != nil {
		return []error{err}
	}
	return wrong
}

func TestTheJobIsOneOfKubernetes(t *testing.T) {
	content := read(t, "kubernetes-job.yaml")
	var job batch.Job
	if wrong := decode(content, &job); wrong != nil {
		t.Fatal(wrong)
	}
	s := job.Spec
	switch {
	case job.APIVersion != "batch/v1" || job.Kind != "Job":
		t.Errorf("it is a %s of %s", job.Kind, job.APIVersion)
	case s.CompletionMode == nil || *s.CompletionMode != batch.IndexedCompletion || *s.Completions != 16 || *s.Parallelism > *s.Completions:
		t.Errorf("its pods are no sixteen shards: %+v", s)
	case s.BackoffLimitPerIndex == nil || s.Template.Spec.RestartPolicy != "Never": // the one needs the other
		t.Errorf("a shard that dies is not run again: %+v", s)
	}
	command := strings.Join(s.Template.Spec.Containers[0].Command, " ")
	if !strings.Contains(command, `--shard "$((JOB_COMPLETION_INDEX + 1))/16"`) {
		t.Errorf("its command is %q", command)
	}
	wrong := strings.Replace(string(content), "completionMode", "completionmode", 1)
	if decode([]byte(wrong), &batch.Job{}) == nil {
		t.Error("a field that there is not passes")
	}
}

func TestTheWorkflowIsOneOfGitHubActions(t *testing.T) {
	lint := func(content []byte) []*actionlint.Error {
		linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		wrong, err := linter.Lint(".github/workflows/explore.yaml", content, nil)
		if err != nil {
			t.Fatal(err)
		}
		return wrong
	}
	content := read(t, "github-actions.yaml")
	for _, e := range lint(content) {
		t.Error(e)
	}
	if len(lint([]byte(strings.Replace(string(content), "fail-fast", "failfast", 1)))) == 0 {
		t.Error("a field that there is not passes")
	}
}

// option matches an option of sbatch(1).
var option = regexp.MustCompile(`(?m)^#SBATCH --([a-z-]+)`)

func TestTheScriptsAreShell(t *testing.T) {
	for _, file := range []string{"slurm.sh", "parallel.sh"} {
		if out, err := exec.Command("sh", "-n", "../"+file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
	}
	known := map[string]bool{"job-name": true, "array": true, "cpus-per-task": true, "mem": true, "time": true, "requeue": true} // sbatch(1), Slurm 24.11
	for _, match := range option.FindAllStringSubmatch(string(read(t, "slurm.sh")), -1) {
		if !known[match[1]] {
			t.Errorf("sbatch has no --%s", match[1])
		}
	}
}

// Whichever engine runs them, all shards together are the whole: of sixteen, from 1 to 16.
func TestTheManifestsHaveSixteenShards(t *testing.T) {
	for file, want := range map[string]string{
		"github-actions.yaml": "shard: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]\n",
		"slurm.sh":            "--array=1-16\n", "parallel.sh": "$(seq 16)",
	} {
		if text := string(read(t, file)); !strings.Contains(text, want) || !strings.Contains(text, "/16 ") && !strings.Contains(text, `/16" `) {
			t.Errorf("%s does not have the shards 1 to 16 of 16", file)
		}
	}
}
