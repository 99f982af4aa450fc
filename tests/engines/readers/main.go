// Reads YAML documents, one as JSON text per line, with yaml.v2, yaml.v3 and sigs.k8s.io/yaml; writes what each found.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"

	v2 "gopkg.in/yaml.v2"
	v3 "gopkg.in/yaml.v3"
	k8s "sigs.k8s.io/yaml"
)

// A value with its type, since JSON has neither infinities nor keys that are not text.
func tagged(value any) any {
	switch found := value.(type) {
	case nil:
		return []any{"null"}
	case string:
		return []any{"text", found}
	case bool:
		return []any{"bool", found}
	case float64:
		return []any{"number", number(found)}
	case []any:
		items := []any{}
		for _, item := range found {
			items = append(items, tagged(item))
		}
		return []any{"list", items}
	case map[string]any:
		pairs := []any{}
		for key, item := range found {
			pairs = append(pairs, []any{tagged(key), tagged(item)})
		}
		return []any{"map", pairs}
	case map[any]any:
		pairs := []any{}
		for key, item := range found {
			pairs = append(pairs, []any{tagged(key), tagged(item)})
		}
		return []any{"map", pairs}
	}
	if text := fmt.Sprint(value); isNumber(value) {
		found, _ := strconv.ParseFloat(text, 64)
		return []any{"number", number(found)}
	}
	return []any{fmt.Sprintf("%T", value), fmt.Sprint(value)}
}

func isNumber(value any) bool {
	switch value.(type) {
	case int, int64, uint, uint64:
		return true
	}
	return false
}

func number(value float64) string {
	switch {
	case math.IsNaN(value):
		return "nan"
	case math.IsInf(value, 1):
		return "inf"
	case math.IsInf(value, -1):
		return "-inf"
	}
	return strconv.FormatFloat(value, 'g', -1, 64)
}

func attempt(read func([]byte, any) error, text string) (result any) {
	defer func() {
		if problem := recover(); problem != nil {
			result = []any{"error", fmt.Sprint(problem)}
		}
	}()
	var value any
	if err := read([]byte(text), &value); err != nil {
		return []any{"error", err.Error()}
	}
	return tagged(value)
}

func main() {
	lines := bufio.NewReader(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var text string
		if err := json.Unmarshal(line, &text); err != nil {
			panic(err)
		}
		answer, err := json.Marshal(map[string]any{
			"yaml.v2":          attempt(func(b []byte, v any) error { return v2.Unmarshal(b, v) }, text),
			"yaml.v3":          attempt(func(b []byte, v any) error { return v3.Unmarshal(b, v) }, text),
			"sigs.k8s.io/yaml": attempt(func(b []byte, v any) error { return k8s.Unmarshal(b, v) }, text),
		})
		if err != nil {
			panic(err)
		}
		out.Write(append(answer, '\n'))
		if lines.Buffered() == 0 {
			out.Flush()
		}
	}
}
