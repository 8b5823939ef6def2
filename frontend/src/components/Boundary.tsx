/** What the failure of something costs: that thing, in whose place something else is shown. */
import { Component, type ReactNode } from "react";

interface Props {
  readonly children: ReactNode;
  readonly instead: ReactNode;
  /** Where this is; somewhere else is another try. */
  readonly at?: string;
}

interface State {
  readonly broken: boolean;
  readonly at: string | undefined;
}

export class Boundary extends Component<Props, State> {
  override state: State = { broken: false, at: this.props.at };

  static getDerivedStateFromError(): Partial<State> {
    return { broken: true };
  }

  static getDerivedStateFromProps({ at }: Props, state: State): State | null {
    return at === state.at ? null : { broken: false, at };
  }

  override render(): ReactNode {
    return this.state.broken ? this.props.instead : this.props.children;
  }
}
