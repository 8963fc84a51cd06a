package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// fakeBazel stands in for Bazel in the scripts. It appends its arguments to the file "args" in the
// workspace, one a line ("bazel query": see query), writes its environment to the file "environment", and does what
// the file "bazel" there says, of which the second call does
// what follows the line "call", and so on:
//
//	target LABEL SHARDS      LABEL was built; its test has SHARDS shards
//	unbuilt LABEL            LABEL failed to build
//	result LABEL SHARD STATUS MILLIS [cached] [start=MILLIS] [exit=N] [attempt=N] [xml=FILE] [log=FILE] [xml-uri=URI]
//	nopattern PATTERN TEXT   PATTERN could not be expanded
//	error TEXT               an event with an error message
//	raw TEXT                 a line of the event file
//	stderr TEXT              a message
//	stopped LABEL SHARD      the shard has no result, for the run was interrupted
//	execroot PATH            where tests run
//	log FILE TEXT            TEXT, as a Go string without its quotes, is added to a test's log
//	await FILE               waits until the file is there
//	pause MILLIS             waits
//	hang                     makes the file "running" and waits for SIGINT, see hang
//	started UUID             the first event
//	retry                    the last events of a build that lost what was in the remote cache: it begins anew
//	finish CODE NAME         the last events, and the exit code
//	exit CODE                an exit code without last events
func fakeBazel() {
	f := &fake{out: os.Stdout}
	f.run(os.Args[1:])
}

type fake struct {
	out    *os.File
	events *os.File
}

func (f *fake) run(args []string) {
	if slices.Equal(args, []string{"--version"}) {
		fmt.Println("bazel 7.7.1")
		return
	}
	if slices.Contains(args, "query") {
		query(args)
	}
	record, err := os.OpenFile("args", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	must(err)
	for _, arg := range args {
		if path, ok := strings.CutPrefix(arg, "--build_event_json_file="); ok {
			f.events, err = os.Create(path)
			must(err)
			arg = "--build_event_json_file=EVENTS"
		}
		if path, ok := strings.CutPrefix(arg, "--execution_log_binary_file="); ok {
			if recorded, err := os.ReadFile("executions"); err == nil {
				must(os.WriteFile(path, encodeExecutions(string(recorded)), 0o666))
			}
			arg = "--execution_log_binary_file=EXECUTIONS"
		}
		fmt.Fprintln(record, arg)
	}
	must(record.Close())

	must(os.WriteFile("environment", []byte(strings.Join(os.Environ(), "\n")+"\n"), 0o666))
	calls, _ := os.ReadFile("calls")
	must(os.WriteFile("calls", append(calls, '.'), 0o666))
	script, err := os.Open("bazel")
	must(err)
	lines := bufio.NewScanner(script)
	for call := 0; lines.Scan(); {
		switch {
		case lines.Text() == "call":
			call++
		case call == len(calls) && lines.Text() != "":
			f.do(lines.Text())
		}
	}
	must(lines.Err())
	os.Exit(99) // the script has no exit for this call
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "fake bazel:", err)
		os.Exit(98)
	}
}

// query answers "bazel query" with the file "query.xml".
func query(args []string) {
	must(os.WriteFile("query-args", []byte(strings.Join(args, "\n")+"\n"), 0o666))
	answer, err := os.ReadFile("query.xml")
	if err != nil {
		fmt.Fprintln(os.Stderr, "ERROR: no such package")
		os.Exit(7)
	}
	must2(os.Stdout.Write(answer))
	os.Exit(0)
}

func must2(_ int, err error) { must(err) }

func seek(f *os.File) (int, error) {
	_, err := f.Seek(0, io.SeekStart)
	return 0, err
}

type object = map[string]any

func (f *fake) do(line string) {
	verb, rest, _ := strings.Cut(line, " ")
	words := strings.Fields(rest)
	switch verb {
	case "raw":
		fmt.Fprintln(f.events, rest)
	case "stderr":
		fmt.Fprintln(os.Stderr, rest)
	case "target":
		var children []object
		for i := range number(words[1]) {
			children = append(children, object{"testResult": object{"label": words[0], "run": 1, "shard": i + 1, "attempt": 1}})
		}
		f.event(object{"id": object{"targetCompleted": object{"label": words[0]}}, "children": children,
			"completed": object{"success": true}})
	case "unbuilt":
		f.event(object{"id": object{"targetCompleted": object{"label": words[0]}}, "completed": object{}})
	case "nopattern":
		f.event(object{"id": object{"pattern": object{"pattern": words[:1]}},
			"aborted": object{"reason": "LOADING_FAILURE", "description": strings.Join(words[1:], " ")}})
	case "error":
		f.event(object{"id": object{"progress": object{}}, "progress": object{"stderr": "ERROR: " + rest + "\n"}})
	case "result":
		f.result(words)
	case "stopped":
		f.event(object{"id": object{"testResult": object{"label": words[0], "run": 1, "shard": number(words[1])}},
			"aborted": object{"reason": "USER_INTERRUPTED"}})
	case "execroot":
		path, err := filepath.Abs(words[0])
		must(err)
		f.event(object{"id": object{"workspace": object{}}, "workspaceInfo": object{"localExecRoot": path}})
	case "log":
		file, text, _ := strings.Cut(rest, " ")
		text, err := strconv.Unquote(`"` + text + `"`)
		must(err)
		addTo(file, text)
	case "await":
		must(waitFile(rest))
	case "pause":
		time.Sleep(time.Duration(number(rest)) * time.Millisecond)
	case "hang":
		hang()
	case "started":
		f.event(object{"id": object{"started": object{}}, "started": object{"uuid": words[0], "command": "test"}})
	case "retry":
		f.event(object{"id": object{"buildFinished": object{}},
			"finished": object{"exitCode": object{"name": "REMOTE_CACHE_EVICTED", "code": 39}}})
		time.Sleep(300 * time.Millisecond) // the events are read
		must(f.events.Truncate(0))
		must2(seek(f.events))
	case "finish":
		code := number(words[0])
		defer os.Exit(code)
		defer func() { must(os.WriteFile("ended", nil, 0o666)) }()
		f.event(object{"id": object{"buildFinished": object{}},
			"finished": object{"exitCode": object{"name": words[1], "code": code}}})
		f.event(object{"id": object{"buildMetrics": object{}}, "buildMetrics": object{}, "lastMessage": true})
	case "exit":
		os.Exit(number(words[0]))
	default:
		must(fmt.Errorf("unknown line %q", line))
	}
}

func (f *fake) result(words []string) {
	id := object{"label": words[0], "run": 1, "shard": number(words[1]), "attempt": 1}
	info := object{"strategy": "linux-sandbox"}
	result := object{"status": words[2], "testAttemptDuration": fmt.Sprintf("%.3fs", float64(number(words[3]))/1000),
		"executionInfo": info}
	var outputs []object
	for _, word := range words[4:] {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "cached":
			result["cachedLocally"] = true
		case "exit":
			info["exitCode"] = number(value)
		case "attempt":
			id["attempt"] = number(value)
		case "start": // milliseconds
			result["testAttemptStartMillisEpoch"] = strconv.Itoa(1795506000000 + number(value))
		case "xml", "log":
			path, err := filepath.Abs(value)
			must(err)
			outputs = append(outputs, object{"name": "test." + key, "uri": "file://" + path})
		case "xml-uri":
			outputs = append(outputs, object{"name": "test.xml", "uri": value})
		default:
			must(fmt.Errorf("unknown word %q in a result", word))
		}
	}
	result["testActionOutput"] = outputs
	f.event(object{"id": object{"testResult": id}, "testResult": result})
}

func (f *fake) event(e object) {
	b, err := json.Marshal(e)
	must(err)
	_, err = fmt.Fprintf(f.events, "%s\n", b)
	must(err)
}

func addTo(file, text string) {
	must(os.MkdirAll(filepath.Dir(file), 0o777))
	log, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	must(err)
	must2(log.WriteString(text))
	must(log.Close())
}

// hang waits for SIGINT, makes the file "stopping", waits for the file "release", and writes into
// "signals" how many SIGINTs came in all.
func hang() {
	c := make(chan os.Signal, 10)
	signal.Notify(c, os.Interrupt)
	must(os.WriteFile("running", nil, 0o666))
	<-c
	must(os.WriteFile("stopping", nil, 0o666))
	must(waitFile("release"))
	must(os.WriteFile("signals", fmt.Appendf(nil, "%d\n", 1+len(c)), 0o666))
}

// waitFile waits until the file is there.
func waitFile(path string) error {
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s did not come within 2 minutes", path)
		}
	}
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	must(err)
	return n
}
