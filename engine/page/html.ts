/** HTML put together from text that nobody vouches for. */
import { escapeMarkup } from '../text/markup.ts';

/** A piece of HTML that is safe to send. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Content = Html | string | number | undefined | readonly Content[];

/** A template tag: what is interpolated is escaped, unless it is Html already; undefined is nothing. */
export function html(strings: TemplateStringsArray, ...contents: readonly Content[]): Html {
  return new Html(strings.map((literal, i) => literal + render(contents[i])).join(''));
}

function render(content: Content): string {
  if (content === undefined) return '';
  if (content instanceof Html) return content.text;
  return typeof content === 'object' ? content.map(render).join('') : escapeMarkup(String(content));
}

/** A link when `url` is one that a browser may follow (http or https), plain text otherwise. */
export function linkTo(url: string, title = url): Html {
  const isWeb = /^https?:\/\//i.test(url) && URL.canParse(url);
  return isWeb ? html`<a href="${url}">${title}</a>` : html`${title}`;
}
