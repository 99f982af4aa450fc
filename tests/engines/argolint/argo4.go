package main

import (
	"context"
	"fmt"
	"io"

	wfv1 "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v4/util/logging"
	"github.com/argoproj/argo-workflows/v4/workflow/common"
	"github.com/argoproj/argo-workflows/v4/workflow/templateresolution"
	"github.com/argoproj/argo-workflows/v4/workflow/validate"
)

// templates4 are the WorkflowTemplates of one file, by name.
type templates4 map[string]*wfv1.WorkflowTemplate

func (t templates4) Get(_ context.Context, name string) (*wfv1.WorkflowTemplate, error) {
	if found, ok := t[name]; ok {
		return found, nil
	}
	return nil, fmt.Errorf("there is no WorkflowTemplate %q in this file", name)
}

func check4(body []byte) []result {
	ctx := logging.WithLogger(context.Background(), logging.NewSlogLoggerCustom(logging.Error, logging.Text, io.Discard))
	objects := common.ParseObjects(ctx, body, true)
	known := templates4{}
	for _, parsed := range objects {
		if template, ok := parsed.Object.(*wfv1.WorkflowTemplate); ok {
			known[template.Name] = template
		}
	}
	cluster := &templateresolution.NullClusterWorkflowTemplateGetter{}
	lint := validate.ValidateOpts{Lint: true}
	found := []result{}
	for _, parsed := range objects {
		one, err := result{}, parsed.Err
		switch object := parsed.Object.(type) {
		case *wfv1.Workflow:
			one = result{Kind: "Workflow", Name: object.Name}
			if err == nil {
				err = validate.ValidateWorkflow(ctx, known, cluster, object, nil, lint)
			}
		case *wfv1.WorkflowTemplate:
			one = result{Kind: "WorkflowTemplate", Name: object.Name}
			if err == nil {
				err = validate.ValidateWorkflowTemplate(ctx, known, cluster, object, nil,
					validate.ValidateOpts{Lint: true, WorkflowTemplateValidation: true})
			}
		case *wfv1.CronWorkflow:
			one = result{Kind: "CronWorkflow", Name: object.Name}
			if err == nil {
				err = validate.ValidateCronWorkflow(ctx, known, cluster, object, nil)
			}
		}
		one.Error = text(err)
		found = append(found, one)
	}
	return found
}
