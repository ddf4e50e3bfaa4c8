/** All addresses. */
import { Suspense } from "react";
import { Navigate, Route, Routes, useLocation } from "react-router";
import { sessionEnded, useSession } from "~/api/session";
import { PageSkeleton } from "~/parts/Skeletons";
import { entries, routes } from "./areas";
import { Frame } from "./Frame";
import { Home } from "./Home";
import { NotFound } from "./NotFound";
import { SignedIn, SignIn } from "./signin";

export function App() {
  const session = useSession();
  return (
    <Suspense fallback={<PageSkeleton />}>
      <Routes>
        <Route path="/sign-in" element={<SignIn />} />
        <Route path="/signed-in" element={<SignedIn />} />
        {session ? (
          <>
            <Route path="/" element={<Home />} />
            <Route path="/:tenant" element={<Home />} />
            <Route path="/:tenant/:workspace" element={<Frame />}>
              <Route index element={<Navigate to={entries[0]?.to ?? "kinds/job"} replace />} />
              {routes.map(({ path, page: Page }) => (
                <Route key={path} path={path} element={<Page />} />
              ))}
              <Route path="*" element={<NotFound />} />
            </Route>
          </>
        ) : (
          <Route path="*" element={<ToSignIn />} />
        )}
      </Routes>
    </Suspense>
  );
}

/** To the sign-in page, and back to here afterwards. */
function ToSignIn() {
  const { pathname, search } = useLocation();
  const query = new URLSearchParams();
  if (pathname !== "/") query.set("back", pathname + search);
  if (sessionEnded()) query.set("ended", "1");
  const text = query.toString();
  return <Navigate to={`/sign-in${text ? `?${text}` : ""}`} replace />;
}
