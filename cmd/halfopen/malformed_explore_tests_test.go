package main

// Malformed calls of halfopen explore test.
var malformedExploreTest = []malformed{
	{want: "there is no flag --nosuch: ", calls: []string{"halfopen explore test --nosuch"}},
	{want: "name one test: --run '^TestName$', or --focus 'text of a Ginkgo spec'", calls: []string{"halfopen explore test", "halfopen explore test ./shop", "halfopen explore test --seed 7"}},
	{want: "name the one that has the test", calls: []string{"halfopen explore test ./a ./b --run X"}},
	{want: "is not a regular expression", calls: []string{"halfopen explore test --run '('", "halfopen explore test --focus '['"}},
	{want: "a cable that takes ", calls: []string{"halfopen explore test --run X --cable-delay 0s", "halfopen explore test --run X --cable-delay 2s", "halfopen explore test --run X --cable-delay -1ms"}},
	{want: "a limit of ", calls: []string{"halfopen explore test --run X --limit 0s", "halfopen explore test --run X --limit -1h"}},
	{want: "choose 0 or more (--seed)", calls: []string{"halfopen explore test --run X --seed -1"}},
	{want: "MiB of memory", calls: []string{"halfopen explore test --run X --memory 1"}},
	{want: "(--machine, --kernel, --memory)", calls: []string{"halfopen explore test --run X --machine bochs", "halfopen explore test --run X --kernel 5"}},
	{want: "(--take)", calls: []string{"halfopen explore test --run X --take /nowhere"}},
	{want: "is not NAME=VALUE (--env)", calls: []string{"halfopen explore test --run X --env SAID", "halfopen explore test --run X --env =x"}},
	{want: "is neither true nor false", calls: []string{"halfopen explore test --run X --json=maybe"}},
	{want: "cannot strike a test: ", calls: []string{
		"halfopen explore test --run X --fault 'process killed'", "halfopen explore test --run X --fault 'FIN, and the peer reads on'",
		"halfopen explore test --run X --fault 'idle timeout of 350 s, silent'", "halfopen explore test --run X --fault 'peer away before connecting, silent'",
	}},
	{want: "there is no fault", calls: []string{"halfopen explore test --run X --fault nosuch"}},
	{want: "(--healed)", calls: []string{"halfopen explore test --run X --healed soon"}},
	{want: "(--at)", calls: []string{"halfopen explore test --run X --at 7"}},
	{want: "(--runs)", calls: []string{"halfopen explore test --run X --runs 0"}},
	{want: "(--for)", calls: []string{"halfopen explore test --run X --for 0s"}},
	{want: "is not a shard: write it as 3/16", calls: []string{"halfopen explore test --run X --shard 9/8"}},
	{want: "choose an empty directory", calls: []string{"halfopen explore test --run X --report thesis"}},
	{want: "makes no sense here", calls: []string{"halfopen explore test --run X -- -bench=.", "halfopen explore test --run X -- -json"}},
}
