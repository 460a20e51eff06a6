package main

// Malformed calls of halfopen explore and its subcommands, beside those of malformed_table_test.go.
var malformedExplore = []malformed{
	{want: `there is no command "nosuch"`, calls: []string{"halfopen explore nosuch", "halfopen explore merges x"}},
	{want: "there is no flag --nosuch: ", calls: []string{"halfopen explore --nosuch", "halfopen explore merge --nosuch x"}},
	{want: "there is no program to audit", calls: []string{"halfopen explore", "halfopen explore --port 5000"}},
	{want: "an exploration needs virtual time", calls: []string{"halfopen explore $S --send x --host"}},
	{want: "there is no fault", calls: []string{"halfopen explore $S --send x --fault nosuch", "halfopen explore $S --send x --fault ''"}},
	{want: "(--fault)", calls: []string{"halfopen explore $S --send x --fault 'loss of 10 %'", "halfopen explore $S --send x --fault 'accept queue full'"}},
	{want: "(--healed)", calls: []string{"halfopen explore $S --send x --healed soon", "halfopen explore $S --send x --healed 0s", "halfopen explore $S --send x --healed -1s", "halfopen explore $S --send x --healed 9999h", "halfopen explore $S --send x --healed ''"}},
	{want: "(--at)", calls: []string{"halfopen explore $S --send x --at never", "halfopen explore $S --send x --at -1ms", "halfopen explore $S --send x --at 9999h", "halfopen explore $S --send x --at 7"}},
	{want: "(--runs)", calls: []string{"halfopen explore $S --send x --runs 0", "halfopen explore $S --send x --runs -1", "halfopen explore $S --send x --runs x"}},
	{want: "(--for)", calls: []string{"halfopen explore $S --send x --for 0s", "halfopen explore $S --send x --for -1m", "halfopen explore $S --send x --for soon"}},
	{want: "is not a shard: write it as 3/16", calls: []string{"halfopen explore $S --send x --shard 0/8", "halfopen explore $S --send x --shard 9/8", "halfopen explore $S --send x --shard 3", "halfopen explore $S --send x --shard 1/99999"}},
	{want: "is given twice: give it once", calls: []string{"halfopen explore $S --send x --runs 1 --runs 2"}},
	{want: "choose an empty directory", calls: []string{"halfopen explore $S --send x --report thesis"}},
	{want: "choose another directory", calls: []string{"halfopen explore $S --send x --report text"}},
	{want: "is the plan of an exploration by another version of halfopen", calls: []string{"halfopen explore merge newplan"}},
	{want: "is cut short", calls: []string{"halfopen explore merge cutplan"}},
	{want: "is damaged", calls: []string{"halfopen explore merge noplan"}},
	{want: "is not the directory of an exploration", calls: []string{"halfopen explore merge nosuch", "halfopen explore merge thesis", "halfopen explore merge text --report x"}},
	{want: "name the directories of the parts", calls: []string{"halfopen explore merge", "halfopen explore merge --report x"}},
	{want: "is neither true nor false", calls: []string{"halfopen explore merge --json=x part"}},
	{want: "has the schema 999, and this halfopen reads", calls: []string{"halfopen report explored", "halfopen report --html explored"}},
}
