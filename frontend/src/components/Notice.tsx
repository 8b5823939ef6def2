/** A page that has one thing to say. */
import { Card, Container, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { usePageTitle } from "../hooks";

interface Props {
  readonly title: string;
  readonly hint: string;
  /** What can be done about it. */
  readonly children?: ReactNode;
}

export function Notice({ title, hint, children }: Props): ReactNode {
  usePageTitle(title);
  return (
    <Container component="main" size="sm" id="content" tabIndex={-1} className="page">
      <Card withBorder padding="xl" className="empty">
        <div role="alert">
          <Title order={1} size="h3">
            {title}
          </Title>
          <p className="muted">{hint}</p>
        </div>
        {children}
      </Card>
    </Container>
  );
}
