// Grafana's own types, as strict as they can be had: each panel with the options of its kind, and nothing that no type knows.
//
// Enumerations become the texts they stand for, since that is what JSON has.
import type * as grafana from '@grafana/schema';
import type * as bargauge from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type * as gauge from '@grafana/schema/dist/esm/raw/composable/gauge/panelcfg/x/GaugePanelCfg_types.gen';
import type * as heatmap from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as timeline from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as text from '@grafana/schema/dist/esm/raw/composable/text/panelcfg/x/TextPanelCfg_types.gen';
import type * as series from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

type Plain<T> = T extends string ? `${T}`
  : T extends number | boolean | null | undefined ? T
  : T extends (infer U)[] ? Plain<U>[]
  : T extends object ? { [K in keyof T]: Plain<T[K]> }
  : T;

type Source = { type: 'prometheus'; uid: '${datasource}' };

// What Grafana's Prometheus data source reads from a target; `@grafana/schema` has no type for it.
type Target = {
  datasource: Source;
  editorMode: 'code' | 'builder';
  exemplar?: boolean;
  expr: string;
  format: 'time_series' | 'table' | 'heatmap';
  instant: boolean;
  interval?: string;
  legendFormat: string;
  range: boolean;
  refId: string;
};

type Defaults<Custom> = Omit<Plain<grafana.FieldConfig>, 'custom' | 'links'> & {
  custom: Partial<Plain<Custom>>;
  links: { title: string; url: string; targetBlank: boolean }[];
};

type Kind<Type extends string, Options, Custom> = Omit<Plain<grafana.Panel>, 'type' | 'options' | 'fieldConfig' | 'targets' | 'datasource'> & {
  type: Type;
  id: number;
  title: string;
  description: string;
  gridPos: Plain<grafana.Panel['gridPos']>;
  options: Plain<Options>;
  fieldConfig: { defaults: Defaults<Custom>; overrides: Plain<NonNullable<grafana.Panel['fieldConfig']>['overrides']> };
  datasource?: Source;
  targets?: Target[];
};

type None = Record<string, never>;

export type Panel =
  | Kind<'stat', stat.Options, None>
  | Kind<'timeseries', series.Options, series.FieldConfig>
  | Kind<'bargauge', bargauge.Options, None>
  | Kind<'table', table.Options, table.FieldConfig>
  | Kind<'heatmap', heatmap.Options, None>
  | Kind<'gauge', gauge.Options, None>
  | Kind<'state-timeline', timeline.Options, timeline.FieldConfig>
  | Kind<'text', text.Options, None>;

type Row = Omit<Plain<grafana.RowPanel>, 'panels'> & { panels: Panel[] };

// Fields of interval variables and of Prometheus annotations that Grafana reads and its schema leaves out.
type Interval = { auto?: boolean; auto_count?: number; auto_min?: string };
type Variable = Omit<Plain<grafana.VariableModel>, 'current'> & Interval & { current: { text?: string | string[]; value?: string | string[] } };
type Query = { expr?: string; tagKeys?: string; textFormat?: string; titleFormat?: string; useValueForTime?: 'on' };
type Annotation = Omit<Plain<grafana.AnnotationQuery>, 'target'> & Query & {
  target?: { limit: number; matchAny: boolean; refId: string; tags: string[]; type: 'tags' };
};

export type Board = Omit<Plain<grafana.Dashboard>, 'panels' | 'templating' | 'annotations'> & {
  uid: string;
  panels: (Panel | Row)[];
  templating: { list: Variable[] };
  annotations: { list: Annotation[] };
};
