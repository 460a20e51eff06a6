package main

// A file that describes a good audit but for what is appended.
const good = "server: ./server\nport: 5000\n"

var malformedTable = []malformed{
	// Commands.
	{want: `there is no command "audt": the nearest are audit, `, calls: []string{"halfopen audt", "halfopen audt --port 5000", "halfopen help audt"}},
	{want: "there is no command", calls: []string{
		"halfopen Audit", "halfopen 'audit '", "halfopen ''", "halfopen kernels", "halfopen kernel buld", "halfopen kernel ''", "halfopen cache cleanup",
		"halfopen presets aws-nat-gw", "halfopen help kernel buld", "halfopen completion tcsh", "scripts suit", "scripts ''", "scripts -seed=1",
	}},
	{want: "the nearest", calls: []string{"scripts suit", "scripts ''", "scripts -seed=1"}},
	{want: "name a command; these are the commands:", calls: []string{"scripts"}},
	{want: "takes no argument such as", calls: []string{
		"halfopen audit nginx", "halfopen audit $S host powered off", "halfopen doctor now", "halfopen version 1", "halfopen kernel list all", "halfopen kernel build 6.12", "halfopen kernel path 6.1",
		"halfopen cache list images", "halfopen cache verify all", "halfopen cache clean images", "halfopen completion bash x", "halfopen completion zsh x y",
	}},
	{want: "there is no flag --nosuch: ", calls: []string{
		"halfopen --nosuch", "halfopen audit --nosuch", "halfopen audit --nosuch=1 $S", "halfopen run --nosuch x", "halfopen test --nosuch", "halfopen report --nosuch", "halfopen presets --nosuch",
		"halfopen presets show --nosuch x", "halfopen kernel --nosuch", "halfopen kernel build --nosuch", "halfopen kernel list --nosuch", "halfopen kernel path --nosuch", "halfopen cache --nosuch",
		"halfopen cache list --nosuch", "halfopen cache verify --nosuch", "halfopen cache clean --nosuch", "halfopen doctor --nosuch", "halfopen version --nosuch",
	}},
	{want: "there is no flag -", calls: []string{
		"halfopen -x", "halfopen audit -x", "halfopen test -nosuch", "halfopen audit --prot 5000", "halfopen audit --Port 5000", "halfopen version --json", "halfopen cache verify --json",
		"scripts suite -nosuch", "scripts suite --nosuch=1", "scripts merge -nosuch", "scripts mutate -nosuch", "scripts repeat -nosuch", "scripts determinism -nosuch",
		"scripts witness -nosuch", "scripts killcheck -nosuch", "scripts installed -nosuch", "scripts bench-labs -nosuch", "scripts bench-guests -x",
	}},
	{want: "is written with two dashes: --port", calls: []string{"halfopen audit -port 5000", "halfopen audit -port=5000"}},
	{want: "is not a flag", calls: []string{"halfopen audit --=x", "halfopen audit ---port 5000", "scripts suite x", "scripts determinism x", "scripts bench-labs x"}},
	{want: "has no value: write --", calls: []string{
		"halfopen audit --port", "halfopen audit --server", "halfopen audit -f", "halfopen audit --watch", "halfopen audit --seed", "halfopen test --run", "halfopen kernel build --source", "scripts suite -seed",
	}},
	{want: "is given twice: give it once", calls: []string{
		"halfopen audit $S --port 5001", "halfopen audit $S --server=./client", "halfopen audit -f a --file b", "halfopen audit $S --json --json", "halfopen run x $S --report a --report=b",
		"halfopen test --seed 1 --seed 2", "halfopen test -seed 1 -seed=2", "halfopen kernel build --source 6.1 --source 6.12", "halfopen doctor --json --json", "scripts suite -seed=1 --seed=2",
	}},
	{want: "is empty: leave the flag out, or give it a value", calls: []string{
		"halfopen audit --server= --port 5000", "halfopen audit --client '' --port 5000", "halfopen audit $S --report ''", "halfopen audit -f ''", "halfopen audit $S --baseline ''", "halfopen audit $S --user ''",
		"halfopen audit $S --machine=''", "halfopen audit $S --kernel=''", "halfopen audit --image ''", "halfopen audit $S --conversation ''", "halfopen audit $S --send=", "halfopen audit $S --under-test=",
		"halfopen kernel path --source ''", "halfopen kernel build --source=", "halfopen report --svg ''", "halfopen test --focus=", "halfopen test --shard ''", "halfopen test --timeout=", "halfopen test --report=",
	}},
	{want: "is neither true nor false", calls: []string{
		"halfopen audit $S --json=maybe", "halfopen audit $S --echo=7", "halfopen audit $S --host=x", "halfopen audit $S --tls=on", "halfopen audit --update=2 $S", "halfopen run x $S --ladder=x",
		"halfopen test --short=x", "halfopen test --verbose=x", "halfopen test --merge=x", "halfopen test --host=x", "halfopen report --markdown=x", "halfopen report --html=x", "halfopen report --serve=x",
		"halfopen report --json=x", "halfopen presets --json=x", "halfopen presets show --json=x azure-lb", "halfopen kernel build --update=x", "halfopen kernel list --json=x", "halfopen cache list --json=x",
		"halfopen cache clean --kernels=x", "halfopen doctor --json=x", "halfopen --version=x", "scripts suite -record=x", "scripts mutate -virtual=x",
	}},

	// Numbers and durations.
	{want: "is not a port: write a number from 1 to 65535", calls: []string{
		"halfopen audit --server ./server --port 70000", "halfopen audit --server ./server --port 5000.5", "halfopen audit --server ./server --port -1", "halfopen audit --server ./server --port http",
		"halfopen audit --server ./server --port 65536", "halfopen audit --server ./server --port 99999999999999999999", "halfopen audit --server ./server --port ' 80'",
	}, files: []string{
		"server: ./server\nport: 70000\n", "server: ./server\nport: 5000.5\n", "server: ./server\nport: -1\n", "server: ./server\nport: \"80\"\n", "server: ./server\nport: 080\n",
		"server: ./server\nport: 0x50\n", "server: ./server\nport: [80]\n", "server: ./server\nport: 1e3\n", "server: ./server\nport: 8_0\n", "server: ./server\nport: 0\n",
	}},
	{want: "the port is missing", calls: []string{"halfopen audit --server ./server", "halfopen audit --server ./server --port 0", "halfopen audit --client ./client"}, files: []string{"server: ./server\n", "server: ./server\nport: ~\n"}},
	{want: "is not a duration: write it as 90s or 2h30m", calls: []string{
		"halfopen audit $S --watch soon", "halfopen audit $S --watch 60", "halfopen audit $S --watch '3 hours'", "halfopen audit $S --watch 1d", "halfopen audit $S --ready x", "halfopen audit $S --every x",
	}, files: []string{good + "watch: soon\n", good + "watch: 60\n", good + "watch: [1h]\n", good + "ready: x\n", good + "ready: 1d\n"}},
	{want: "is too long: durations are below 292 years", calls: []string{"halfopen audit $S --watch 3000000h", "halfopen audit $S --ready 99999999999h"}},
	{want: "the time to watch, ", calls: []string{"halfopen audit $S --watch 2000000h", "halfopen audit $S --watch -1h", "halfopen audit $S --watch 1ns", "halfopen audit $S --watch 721h"}, files: []string{good + "watch: 2000000h\n", good + "watch: -1s\n"}},
	{want: "the time to get ready, ", calls: []string{"halfopen audit $S --ready 0s", "halfopen audit $S --ready -1m", "halfopen audit $S --ready 1us", "halfopen audit $S --ready 9999h"}, files: []string{good + "ready: 0s\n"}},
	{want: "is not a whole number: write it as 7", calls: []string{
		"halfopen audit $S --seed x", "halfopen audit $S --memory 1G", "halfopen audit $S --memory 1.5", "halfopen test --count x", "halfopen test --seed x", "halfopen test --memory x",
		"scripts suite -seed=x", "scripts suite -procs=x", "scripts suite -memory=1G", "scripts determinism -times=x", "scripts repeat -times=x", "scripts killcheck -moments=x",
	}},
	{want: "is negative: write 0 or more", calls: []string{"halfopen audit $S --seed -1"}},
	{want: "is too large: it must fit in 64 bits", calls: []string{"halfopen audit $S --seed 99999999999999999999", "halfopen audit $S --memory 99999999999999999999", "halfopen test --seed 99999999999999999999"}},
	{want: "MiB of memory", calls: []string{"halfopen audit $S --memory 1", "halfopen audit $S --memory -5", "halfopen audit $S --memory 9999999", "halfopen test --memory 9", "scripts suite -memory=9", "scripts suite -memory=-1"}},
	{want: "choose 1 or more (--count)", calls: []string{"halfopen test --count 0", "halfopen test --count -3"}},
	{want: "choose 0 or more", calls: []string{"halfopen test --seed -3", "scripts suite -seed=-1"}},
	{want: "test processes: choose from 1 to 1000", calls: []string{"scripts suite -procs=-1", "scripts suite -procs=99999"}},
	{want: "choose 2 or more (TIMES)", calls: []string{"scripts determinism -times=1", "scripts determinism -times=-1"}},

	// Programs.
	{want: "there is no program to audit", calls: []string{"halfopen audit", "halfopen audit --port 5000", "halfopen run 'host powered off'", "halfopen audit --host", "halfopen audit --json"}, files: []string{"port: 5000\n", "{}", "# nothing\n", "send: hello\nport: 1\n", "server: ~\nclient: ~\n"}},
	{want: "open quote", calls: []string{`halfopen audit --port 5000 --server "./server 'x"`, `halfopen audit --port 5000 --client './client "x'`}, files: []string{"server: ./server 'x\nport: 1\n"}},
	{want: "names no program", calls: []string{"halfopen audit --port 5000 --server ' '"}, files: []string{"server: ' '\nport: 1\n"}},
	{want: "is not on this machine: install it", calls: []string{"halfopen audit --port 5000 --server nosuch", "halfopen audit --port 5000 --server ./nosuch", "halfopen audit --port 5000 --client /nosuch/x", "halfopen run 'host powered off' --server nosuch --port 5000"}, files: []string{"server: nosuch\nport: 1\n", "client: {command: nosuch}\nport: 1\n"}},
	{want: "which halfopen does not replace", calls: []string{"halfopen audit --port 5000 --client './client {host}'", "halfopen audit --port 5000 --client './client {HOST} {port}'", "halfopen audit --port 5000 --client './client {addr}'"}, files: []string{"client: ./client {ip}\nport: 1\n"}},
	{want: "must be server or client", calls: []string{"halfopen audit $S --under-test both", "halfopen audit $S --under-test Server"}, files: []string{good + "under_test: both\n"}},
	{want: "the family is", calls: []string{"halfopen audit $S --family ipv5", "halfopen run 'process killed' $S --family IPv4"}, files: []string{good + "family: 6\n"}},
	{want: "the protocol is", calls: []string{"halfopen audit $S --protocol udp", "halfopen run 'process killed' $S --protocol SCTP"}, files: []string{good + "protocol: udp\n"}},
	{want: "is under test, and there is none", calls: []string{"halfopen audit $S --under-test client", "halfopen audit --client ./client --port 5000 --under-test server"}, files: []string{good + "under_test: client\n"}},
	{want: "(--env)", calls: []string{"halfopen audit $S --env FOO", "halfopen audit $S --env =1", "halfopen audit $S --env ''", "halfopen audit $S --env '1A=2'", "halfopen audit $S --env 'A B=2'", "halfopen audit $S --env A-B=2", "halfopen test --env A", "halfopen test --env =A"},
		files: []string{good + "environment: [FOO]\n", good + "environment: ['=x']\n", good + "environment: ['9=x']\n", good + "environment: [\"A=\\0\"]\n"}},
	{want: "is not a user: write USER or USER:GROUP", calls: []string{"halfopen audit $S --user :x", "halfopen audit $S --user x:", "halfopen audit $S --user 'a b'", "halfopen audit $S --user -1", "halfopen audit $S --user a:b:c"}, files: []string{good + "user: 'a:'\n", good + "user: a/b\n"}},
	{want: "there is no user nosuch", calls: []string{"halfopen audit $S --user nosuch", "halfopen audit $S --user nosuch:root"}, files: []string{good + "user: nosuch\n"}},
	{want: "there is no group nosuch", calls: []string{"halfopen audit $S --user root:nosuch"}},
	{want: "is not the name of a Debian package", calls: []string{"halfopen audit $S --package NGINX", "halfopen audit $S --package 'a b'", "halfopen audit $S --package -x", "halfopen audit $S --package n", "halfopen audit $S --package ./x.deb", "halfopen audit $S --package nginx=", "halfopen audit $S --package 'nginx>1'"},
		files: []string{good + "packages: [NGINX]\n", "server: {command: x, packages: ['-x']}\nport: 1\n"}},
	{want: "(--take)", calls: []string{"halfopen audit $S --take /nosuch", "halfopen audit $S --take text:relative", "halfopen audit $S --take :/x", "halfopen audit $S --take /dev/null", "halfopen audit $S --take text:/", "halfopen audit $S --take ''", "halfopen test --take /nosuch", "halfopen test --take text:x", "halfopen test --take :"},
		files: []string{good + "take: [/nosuch]\n", good + "take: ['text:x']\n", good + "take: [text, nosuch]\n"}},
	{want: "is halfopen's own file", calls: []string{"halfopen audit $S --take text:/init", "halfopen audit $S --take text:/report"}, files: []string{good + "take: ['text:/init']\n"}},
	{want: "(--hide)", calls: []string{"halfopen audit $S --hide /nosuch", "halfopen audit $S --hide /", "halfopen audit $S --hide ''"}, files: []string{good + "hide: [/nosuch]\n"}},
	{want: "(--prepare)", calls: []string{"halfopen audit $S --prepare ''"}},
	{want: "to lay over", files: []string{good + "files: {etc/x: y}\n", good + "files: {/etc/../x: y}\n", good + "files: {/init: y}\n", good + "files: {/etc/x: {file: nosuch}}\n", good + "files: {/etc/x: {file: /dev/zero}}\n"}},
	{want: "", calls: []string{"halfopen audit --image 'Not An Image'", "halfopen audit --image ./nosuch", "halfopen audit --image text", "halfopen audit --image :x", "halfopen audit --image /dev/null --port 1"}, files: []string{"image: 'Not An Image'\nport: 1\n"}},
	{want: "an image has its own", calls: []string{"halfopen audit --image alpine --package nginx"}, files: []string{"image: alpine\npackages: [nginx]\nport: 1\n"}},
	{want: "an image has nothing of this machine that could be hidden", calls: []string{"halfopen audit --image alpine --hide /etc"}},

	// Programs beside.
	{want: "beside", files: []string{good + "beside: [{name: db}]\n", good + "beside: [{command: ./server, on: moon}]\n", good + "beside: [{command: ./server, ready: {line: '('}}]\n", good + "beside: [{command: ./server, ready: {exit: true, port: 5}}]\n"}},

	// What the fixture says.
	{want: `\xHH`, calls: []string{`halfopen audit $S --send '\q'`, `halfopen audit $S --send '\'`, `halfopen audit $S --send '\x1'`, `halfopen audit $S --send '\xgg'`}, files: []string{good + "send: '\\q'\n"}},
	{want: "conversation", calls: []string{"halfopen audit $S --conversation nosuch", "halfopen audit $S --conversation http --send x", "halfopen audit $S --conversation http --echo"}, files: []string{good + "conversation: nosuch\n", good + "conversation: {likes: http}\n", good + "conversation: [http]\n", good + "conversation: http\necho: true\n"}},
	{want: "(--every)", calls: []string{"halfopen audit $S --every 5s", "halfopen audit $S --every -1s"}},
	{want: "both sides are programs", calls: []string{"halfopen audit $S --client ./client --tls"}},
	{want: "the fixture speaks no TLS", calls: []string{"halfopen audit --server './server {ca}' --port 5000"}},

	// Names.
	{want: "there is no fault", calls: []string{"halfopen run 'host powered of' $S", "halfopen run nosuch $S", "halfopen run '' $S", "halfopen run 'process killed' nosuch $S", "halfopen audit $S --fault nosuch", "halfopen run host powered off $S"}, files: []string{good + "expect: {notices: {gnawed: 1s}}\n", good + "expect: {recovers: {gnawed: 1s}}\n", good + "faults: [nosuch]\n"}},
	{want: "run needs a fault", calls: []string{"halfopen run", "halfopen run $S"}},
	{want: "there is no preset", calls: []string{"halfopen audit $S --preset nosuch", "halfopen presets show nosuch", "halfopen presets show ''", "halfopen audit $S --preset azure", "halfopen presets show azure-lbb=7"}, files: []string{good + "presets: [nosuch]\n", good + "expect: {survives: [nosuch]}\n"}},
	{want: "idle timeout", calls: []string{"halfopen presets show azure-lb=x", "halfopen presets show azure-lb=", "halfopen presets show azure-lb=1", "halfopen presets show azure-lb=99999999", "halfopen audit $S --preset azure-lb=-1", "halfopen audit $S --preset aws-nat-gw=7"}},
	{want: "presets show takes one name", calls: []string{"halfopen presets show", "halfopen presets show a b"}},
	{want: "cannot be run in an audit", calls: []string{"halfopen audit $S --preset aws-alb", "halfopen run aws-alb $S"}, files: []string{good + "presets: [aws-alb]\n"}},
	{want: "needs something that the program answers", calls: []string{"halfopen run 'host powered off, busy' $S"}, files: []string{good + "expect: {notices: {'host powered off, busy': 1s}}\n"}},
	{want: "there is no machine", calls: []string{"halfopen audit $S --machine vm", "halfopen test --machine UM", "scripts suite -machine=x", "scripts determinism -machine=x"}},
	{want: "kernel", calls: []string{"halfopen audit $S --kernel 5.10", "halfopen audit $S --kernel /nosuch", "halfopen audit $S --machine um --kernel linux-image-amd64", "halfopen audit $S --machine qemu --kernel 6.12", "halfopen test --kernel x", "scripts suite -kernel=x", "scripts witness -kernel=6.12"}},
	{want: "there is no kernel source", calls: []string{"halfopen kernel build --source 5.10", "halfopen kernel path --source 6", "halfopen kernel build --update --source x"}},
	{want: "packages and hidden files need the user-mode kernel", calls: []string{"halfopen audit $S --machine qemu --package nginx", "halfopen audit $S --machine qemu --hide /etc"}},
	{want: "there is no executor", calls: []string{"scripts suite -on=vm", "scripts suite -on=host,vm", "scripts suite -on="}},
	{want: "is not a shard: choose from 1/8 to 8/8", calls: []string{"halfopen test --shard 9/8", "halfopen test --shard 0/8", "halfopen test --shard 1/7", "halfopen test --shard x", "halfopen test --shard 1", "scripts suite -shard=9/8", "scripts suite -shard=x"}},
	{want: "is not a regular expression", calls: []string{"halfopen test --run [", "halfopen test --skip (", "halfopen test --focus *", "halfopen test --run 'a{2,1}'", "scripts suite -focus=[", "scripts installed -focus=("}},
	{want: "is not a duration such as 10m (--timeout)", calls: []string{"halfopen test --timeout 5", "halfopen test --timeout x", "halfopen test --timeout -1s", "halfopen test --timeout 0s"}},
	{want: "makes no sense here", calls: []string{"halfopen test -- -bench=.", "halfopen test ./x -- -fuzz=F", "halfopen test -- -list .", "halfopen test -- -coverprofile=x", "halfopen test -- -cpuprofile x", "halfopen test -- -json", "halfopen test -- -trace=x"}},

	// What excludes each other.
	{want: "are both given", calls: []string{
		"halfopen audit -f a.yaml --port 5000", "halfopen audit -f a.yaml --server x", "halfopen audit -f a.yaml --client x", "halfopen audit -f a.yaml --fault x", "halfopen audit -f a.yaml --preset x", "halfopen audit -f a.yaml --conversation http",
		"halfopen audit -f a.yaml --tls", "halfopen audit -f a.yaml --every 1s", "halfopen audit -f a.yaml --echo", "halfopen audit -f a.yaml --watch 1h", "halfopen audit $S --host --image x", "halfopen audit $S --host --package nginx",
		"halfopen audit $S --host --take x", "halfopen audit $S --host --hide x", "halfopen audit $S --host --prepare x", "halfopen audit $S --host --machine um", "halfopen audit $S --host --kernel 6.12", "halfopen audit $S --host --seed 2",
		"halfopen audit $S --host --memory 512", "halfopen run x -f a.yaml --port 1", "halfopen test --host --machine um", "halfopen test --host --kernel 6.1", "halfopen test --host --memory 512", "halfopen test --host --shard 1/8",
		"halfopen test --host --take x", "halfopen report --json --markdown", "halfopen report --html --json", "halfopen report --serve --svg x", "halfopen report --markdown --html",
	}},

	// Files.
	{want: "no such file or directory", calls: []string{"halfopen audit -f nosuch", "halfopen run x -f nosuch.yaml", "halfopen audit --file /nosuch/x", "halfopen audit -f thesis/nosuch"}},
	{want: "is a directory: name a file", calls: []string{"halfopen audit -f .", "halfopen audit -f thesis", "halfopen audit $S --baseline thesis"}},
	{want: "has more than 1 MiB", calls: []string{"halfopen audit -f /dev/zero", "halfopen audit -f /dev/urandom", "halfopen run x -f /dev/zero"}},
	{want: "has more than 16 MiB", calls: []string{"halfopen audit $S --baseline /dev/zero"}},
	{want: "not a directory", calls: []string{"halfopen audit -f text/x"}},
	{want: "it is not YAML", files: []string{"server: [", "server: \"x", "\tserver: x", "server: x: y", "a: b\n c: d\n  - e", "server: \x00", "server: \xff\xfe", "{", ": x\n", "- - -\n-x:\n y", "%YAML 9.9\n---\n"}},
	{want: "is not a list of fields", files: []string{"x", "[server]", "7", "- server", "'server: x'"}},
	{want: "a second YAML document", files: []string{good + "---\n" + good, good + "---\nport: 5000\n", "---\n---\n"}},
	{want: "refers to another part of the file", files: []string{"server: &a ./server\nclient: *a\nport: 1\n", "a: &a [*a]\n"}},
	{want: "has no meaning here: leave it out", files: []string{"server: !!str x\nport: 1\n", "server: !program x\n", "!x {server: y}\n", "port: !!int '80'\n"}},
	{want: "is there twice", files: []string{good + "port: 5001\n", "server: {command: x, command: y}\nport: 1\n", good + "expect: {notices: {process killed: 1s, process killed: 2s}}\n"}},
	{want: "there is no field", files: []string{
		good + "sever: x\n", good + "Server: x\n", good + "name: x\n", good + "only: [x]\n", good + "machine: um\n", good + "seed: 1\n", good + "memory: 512\n", good + "report: x\n", "server: {comand: x}\nport: 1\n", "server: {port: 1}\n",
		good + "expect: {wins: 1}\n", good + "files: {/x: {from: y}}\n", good + "under-test: server\n", good + "<<: {port: 1}\n", good + "env: [A=1]\n",
	}},
	{want: "a name is missing before the colon", files: []string{"? [a]\n: b\n", "~: x\n", good + "files: {'': x}\n", good + "expect: {notices: {? [a] : 1s}}\n"}},
	{want: "an element of the list is empty", files: []string{good + "take: [~]\n", good + "take: ['']\n", good + "prepare: [a, ~]\n", good + "environment:\n-\n", good + "presets: ['']\n", good + "faults: [~]\n", good + "expect: {survives: [~]}\n", good + "packages: ['']\n", good + "hide: [~]\n"}},
	{want: "is not a list: write [VALUE, VALUE]", files: []string{good + "take: x\n", good + "packages: nginx\n", good + "presets: {a: b}\n", good + "faults: x\n", good + "prepare: x\n", good + "environment: {A: 1}\n", good + "hide: x\n", good + "expect: {survives: x}\n"}},
	{want: "is not true or false", files: []string{good + "echo: 7\n", good + "echo: yes\n", good + "echo: 'true'\n", good + "echo: [true]\n"}},
	{want: "is not a text", files: []string{"server: [x]\nport: 1\n", "server: {command: [x]}\nport: 1\n", good + "user: [x]\n", good + "user: {a: b}\n", good + "take: [[x]]\n", good + "under_test: [x]\n", good + "image: {a: b}\n", good + "files: {/x: [y]}\n"}},
	{want: "must be positive", files: []string{good + "expect: {notices: {process killed: 0s}}\n", good + "expect: {notices: {process killed: -1s}}\n", good + "expect: {recovers: {host rebooted: 0s}}\n"}},
	{want: "does not end: nothing recovers from it", files: []string{good + "expect: {recovers: {host powered off: 90s}}\n"}},
	{want: "has a zero byte", files: []string{"server: \"./server \\0\"\nport: 1\n", good + "prepare: [\"a\\0\"]\n", good + "user: \"a\\0\"\n"}},

	// Reports and baselines.
	{want: "choose an empty directory", calls: []string{"halfopen audit $S --report thesis", "halfopen run 'process killed' $S --report thesis", "halfopen test --report thesis", "scripts suite -report=thesis", "halfopen audit $S --report ."}},
	{want: "choose another directory", calls: []string{"halfopen audit $S --report text", "halfopen audit $S --report text/x", "halfopen audit $S --report /proc/x", "halfopen audit $S --report /dev/null", "halfopen run 'process killed' $S --report text", "halfopen test --report text", "scripts suite -report=text", "scripts suite -report=/proc/x"}},
	{want: "--update needs --baseline", calls: []string{"halfopen audit $S --update", "halfopen audit --update"}},
	{want: "there is no directory", calls: []string{"halfopen audit $S --update --baseline nosuch/b.json", "halfopen audit $S --update --baseline text/b.json"}},
	{want: "is a directory", calls: []string{"halfopen audit $S --update --baseline thesis"}},
	{want: "which every audit empties", calls: []string{"halfopen audit $S --baseline halfopen-report/b.json", "halfopen audit $S --report x --update --baseline x/b.json"}},
	{want: "--update writes it", calls: []string{"halfopen audit $S --baseline nosuch.json"}},
	{want: "it has no schema_version", calls: []string{"halfopen audit $S --baseline braces.json"}},
	{want: "has schema version 999, and this halfopen reads", calls: []string{"halfopen audit $S --baseline future.json", "halfopen report future", "halfopen report future --json", "halfopen report future --html"}},
	{want: "has schema version 0, and this halfopen reads", calls: []string{"halfopen audit $S --baseline old.json"}},
	{want: "is not the answer of an audit", calls: []string{"halfopen audit $S --baseline empty.json", "halfopen audit $S --baseline array.json", "halfopen audit $S --baseline number.json", "halfopen audit $S --baseline text", "halfopen audit $S --baseline cut.json", "halfopen audit $S --baseline kind.json", "halfopen audit $S --baseline word.json", "halfopen report cut"}},
	{want: "there is no answer of an audit in", calls: []string{"halfopen report", "halfopen report nosuch", "halfopen report thesis", "halfopen report --markdown nosuch"}},
	{want: "no such file or directory", calls: []string{"halfopen report --svg x nosuch"}},
	{want: "--since is for the page of a test run", calls: []string{"halfopen report --since x", "halfopen report --html --since thesis thesis"}},
	{want: "takes one directory, and here are 2", calls: []string{"halfopen report a b", "halfopen report --json a b"}},
	{want: "name the directories with the reports of the shards", calls: []string{"halfopen test --merge", "scripts merge", "scripts merge -report=x"}},
	{want: "is not the report of a shard", calls: []string{"halfopen test --merge nosuch", "halfopen test --merge thesis", "scripts merge thesis", "scripts merge nosuch"}},
	{want: "by another version", calls: []string{"halfopen test --merge part", "scripts merge part"}},
	{want: "is cut short", calls: []string{"halfopen test --merge cutpart", "scripts merge cutpart"}},

	// Variables.
	{want: "TMPDIR", calls: []string{"halfopen audit $S", "halfopen test", "halfopen run 'process killed' $S", "scripts suite"}, in: []string{"TMPDIR=/nosuch"}},
	{want: "TMPDIR", calls: []string{"halfopen audit $S", "halfopen test"}, in: []string{"TMPDIR=/dev/null"}},
	{want: "XDG_CACHE_HOME", calls: []string{"halfopen kernel list", "halfopen kernel path", "halfopen cache list", "halfopen cache clean", "halfopen cache verify", "halfopen audit $S"}, in: []string{"HOME="}},
	{want: "XDG_CACHE_HOME", calls: []string{"halfopen kernel list", "halfopen cache list", "halfopen audit $S"}, in: []string{"XDG_CACHE_HOME=relative"}},
	{want: "XDG_CACHE_HOME", calls: []string{"halfopen audit $S"}, in: []string{"XDG_CACHE_HOME=/dev/null"}},
	{want: "HALFOPEN_LEAVE_OUT", calls: []string{"halfopen test", "scripts suite", "scripts suite -on=host"}, in: []string{"HALFOPEN_LEAVE_OUT=fault"}},
	{want: "HALFOPEN_LEAVE_OUT", calls: []string{"halfopen test", "scripts suite"}, in: []string{"HALFOPEN_LEAVE_OUT=flaw 1"}},
	{want: "HALFOPEN_LEAVE_OUT", calls: []string{"halfopen test", "scripts suite"}, in: []string{"HALFOPEN_LEAVE_OUT=fault 0"}},
	{want: "HALFOPEN_KERNEL_URL", calls: []string{"halfopen audit $S", "halfopen kernel build"}, in: []string{"HALFOPEN_KERNEL_URL=ftp://x"}},
	{want: "HALFOPEN_KERNEL_URL", calls: []string{"halfopen audit $S", "halfopen kernel build"}, in: []string{"HALFOPEN_KERNEL_URL=here"}},
	{want: "HALFOPEN_REPORT", calls: []string{"halfopen test --host"}, in: []string{"HALFOPEN_REPORT=text"}},
}
