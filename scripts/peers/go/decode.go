// Strict JSON: the protocol has no optional spelling, so unknown, missing and misspelt keys are errors. encoding/json
// alone ignores the case of keys and does not notice missing ones.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// decodeStruct fills the struct behind `into` from one JSON object. Every field is named by its `json` tag; all are
// required but those tagged `omitempty`.
func decodeStruct(what string, text []byte, into any) error {
	var required, optional []string
	shape := reflect.TypeOf(into).Elem()
	for i := range shape.NumField() {
		name, options, _ := strings.Cut(shape.Field(i).Tag.Get("json"), ",")
		if options == "omitempty" {
			optional = append(optional, name)
		} else {
			required = append(required, name)
		}
	}
	if err := checkKeys(what, text, required, optional); err != nil {
		return err
	}
	return inContext(what, json.Unmarshal(text, into))
}

// decodeVariant fills `into` from one JSON object whose `kind` decides which other keys it has, no more and no fewer.
func decodeVariant(what string, text []byte, kinds map[string][]string, into any) error {
	var tag struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(text, &tag); err != nil {
		return inContext(what, err)
	}
	fields, known := kinds[tag.Kind]
	if !known {
		return fmt.Errorf("%s: unknown kind %q; expected %s", what, tag.Kind, strings.Join(sortedKeys(kinds), ", "))
	}
	if err := checkKeys(what+" "+tag.Kind, text, append([]string{"kind"}, fields...), nil); err != nil {
		return err
	}
	return inContext(what, json.Unmarshal(text, into))
}

func checkKeys(what string, text []byte, required, optional []string) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil {
		return inContext(what, err)
	}
	if object == nil {
		return fmt.Errorf("%s: expected an object, got null", what)
	}
	for _, key := range sortedKeys(object) {
		if !slices.Contains(required, key) && !slices.Contains(optional, key) {
			known := append(slices.Clone(required), optional...)
			return fmt.Errorf("%s: unknown key %q; expected %s", what, key, strings.Join(known, ", "))
		}
	}
	for _, key := range required {
		value, present := object[key]
		if !present {
			return fmt.Errorf("%s: key %q is missing", what, key)
		}
		if bytes.Equal(value, []byte("null")) {
			return fmt.Errorf("%s: key %q is null", what, key)
		}
	}
	return nil
}

// inContext puts the name of the object before what encoding/json has to say, unless an inner object has named itself.
func inContext(what string, err error) error {
	var mistyped *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &mistyped):
		return fmt.Errorf("%s: key %q: expected %s, got %s", what, mistyped.Field, mistyped.Type, mistyped.Value)
	case errors.As(err, &syntax):
		return fmt.Errorf("%s: not JSON: %v at byte %d", what, syntax, syntax.Offset)
	}
	return err
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
