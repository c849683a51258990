export { ArtworkError, type ArtworkErrorCode } from "./artwork-error.ts";
export type { TextRefusal } from "./card-text.ts";
export {
  type CardContent,
  type CardPerson,
  type ComposedCard,
  type Composer,
  composeCard,
  createComposer,
} from "./create-composer.ts";
export { CARD, type CardField, type Layout } from "./layout-schema.ts";
export { EXAMPLE_TEMPLATES, type LoadedTemplate, loadTemplate, type TemplateFault } from "./load-template.ts";
export { type PreviewOptions, toPreviewPng } from "./preview.ts";
export type { Template } from "./template.ts";
export { templateDigest } from "./template-digest.ts";
